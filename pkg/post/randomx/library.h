#include <stddef.h>
#include <stdint.h>

// The part of librandomx's interface that is used, as pointers that are resolved
// when the library is loaded.
typedef struct {
	int (*get_flags)(void);
	void *(*alloc_cache)(int);
	void (*init_cache)(void *, const void *, size_t);
	void (*release_cache)(void *);
	void *(*alloc_dataset)(int);
	unsigned long (*dataset_item_count)(void);
	void (*init_dataset)(void *, void *, unsigned long, unsigned long);
	void (*release_dataset)(void *);
	void *(*create_vm)(int, void *, void *);
	void (*destroy_vm)(void *);
	void (*calculate_hash)(void *, const void *, size_t, void *);
	void (*calculate_hash_first)(void *, const void *, size_t);
	void (*calculate_hash_next)(void *, const void *, size_t, void *);
} rx_library;

// rx_load fills lib; it returns NULL or what went wrong (static or dlerror text).
const char *rx_load(rx_library *lib, const char *name);

int rx_flags(rx_library *lib);
void *rx_cache(rx_library *lib, int flags, const void *key, size_t key_len);
void rx_free_cache(rx_library *lib, void *cache);
void *rx_dataset(rx_library *lib, int flags);
unsigned long rx_items(rx_library *lib);
void rx_fill_dataset(rx_library *lib, void *dataset, void *cache, unsigned long from, unsigned long count);
void rx_free_dataset(rx_library *lib, void *dataset);
void *rx_vm(rx_library *lib, int flags, void *cache, void *dataset);
void rx_free_vm(rx_library *lib, void *vm);
void rx_hash(rx_library *lib, void *vm, const void *in, size_t in_len, void *out);

// rx_search tries count solutions from start on in the first 7 bytes of the
// 48-byte input, and stores the first whose hash is below the 32-byte difficulty.
// It returns 1 if there is one.
int rx_search(rx_library *lib, void *vm, const void *input, const void *difficulty,
	uint64_t start, uint64_t count, uint64_t *found);
