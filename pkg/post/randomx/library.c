//go:build cgo && linux

#include "library.h"

#include <dlfcn.h>
#include <fenv.h>
#include <string.h>

#define LOAD(field, symbol)                              \
	do {                                             \
		*(void **)&lib->field = dlsym(h, symbol); \
		if (lib->field == NULL) {                \
			return "symbol " symbol " is missing"; \
		}                                        \
	} while (0)

const char *rx_load(rx_library *lib, const char *name) {
	void *h = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (h == NULL) {
		const char *why = dlerror();
		return why != NULL ? why : "dlopen failed";
	}
	LOAD(get_flags, "randomx_get_flags");
	LOAD(alloc_cache, "randomx_alloc_cache");
	LOAD(init_cache, "randomx_init_cache");
	LOAD(release_cache, "randomx_release_cache");
	LOAD(alloc_dataset, "randomx_alloc_dataset");
	LOAD(dataset_item_count, "randomx_dataset_item_count");
	LOAD(init_dataset, "randomx_init_dataset");
	LOAD(release_dataset, "randomx_release_dataset");
	LOAD(create_vm, "randomx_create_vm");
	LOAD(destroy_vm, "randomx_destroy_vm");
	LOAD(calculate_hash, "randomx_calculate_hash");
	LOAD(calculate_hash_first, "randomx_calculate_hash_first");
	LOAD(calculate_hash_next, "randomx_calculate_hash_next");
	return NULL;
}

int rx_flags(rx_library *lib) { return lib->get_flags(); }

void *rx_cache(rx_library *lib, int flags, const void *key, size_t key_len) {
	void *cache = lib->alloc_cache(flags);
	if (cache != NULL) {
		lib->init_cache(cache, key, key_len);
	}
	return cache;
}

void rx_free_cache(rx_library *lib, void *cache) { lib->release_cache(cache); }

void *rx_dataset(rx_library *lib, int flags) { return lib->alloc_dataset(flags); }

unsigned long rx_items(rx_library *lib) { return lib->dataset_item_count(); }

void rx_fill_dataset(rx_library *lib, void *dataset, void *cache, unsigned long from, unsigned long count) {
	lib->init_dataset(dataset, cache, from, count);
}

void rx_free_dataset(rx_library *lib, void *dataset) { lib->release_dataset(dataset); }

void *rx_vm(rx_library *lib, int flags, void *cache, void *dataset) {
	return lib->create_vm(flags, cache, dataset);
}

void rx_free_vm(rx_library *lib, void *vm) { lib->destroy_vm(vm); }

// A hash changes the rounding mode; the thread goes back to the Go scheduler, so
// the mode must be put back whatever the version of the library does.
void rx_hash(rx_library *lib, void *vm, const void *in, size_t in_len, void *out) {
	fenv_t env;
	fegetenv(&env);
	lib->calculate_hash(vm, in, in_len, out);
	fesetenv(&env);
}

static void set_pow(unsigned char *input, uint64_t pow) {
	for (int i = 0; i < 7; i++) {
		input[i] = (unsigned char)(pow >> (8 * i));
	}
}

int rx_search(rx_library *lib, void *vm, const void *input, const void *difficulty,
	uint64_t start, uint64_t count, uint64_t *found) {
	unsigned char in[48], hash[32];
	int hit = 0;
	fenv_t env;
	if (count == 0) {
		return 0;
	}
	fegetenv(&env);
	memcpy(in, input, sizeof in);
	set_pow(in, start);
	lib->calculate_hash_first(vm, in, sizeof in);
	for (uint64_t i = 0; i < count && !hit; i++) {
		// The pipelined call ends the hash before and begins the next one.
		set_pow(in, start + i + 1);
		lib->calculate_hash_next(vm, in, sizeof in, hash);
		if (memcmp(hash, difficulty, sizeof hash) < 0) {
			*found = start + i;
			hit = 1;
		}
	}
	fesetenv(&env);
	return hit;
}
