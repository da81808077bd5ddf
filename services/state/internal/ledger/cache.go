package ledger

import (
	"sync"

	"github.com/smeshery/smeshery/pkg/wire"
)

// cache holds accounts as they are at the tip. It is bounded: the accounts that
// were used last are in hot, and when that is full it becomes cold, whose
// unused accounts are then forgotten.
type cache struct {
	limit int // of each generation

	mu        sync.Mutex
	hot, cold map[wire.Address]wire.Account
	// version grows when accounts change, so that what was read before is
	// not put in after.
	version      uint64
	hits, misses uint64
}

func newCache(accounts int) *cache {
	return &cache{limit: max(1, accounts/2), hot: map[wire.Address]wire.Account{}}
}

// lookup puts the accounts it has into out and returns the others.
func (c *cache) lookup(addresses []wire.Address, out map[wire.Address]wire.Account) (missing []wire.Address, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, address := range addresses {
		if _, have := out[address]; have {
			continue
		}
		account, ok := c.hot[address]
		if !ok {
			if account, ok = c.cold[address]; ok {
				c.put(account)
			}
		}
		if !ok {
			missing = append(missing, address)
			continue
		}
		out[address] = account
	}
	c.hits += uint64(len(addresses) - len(missing))
	c.misses += uint64(len(missing))
	return missing, c.version
}

// fill adds what was read from the database at a version.
func (c *cache) fill(version uint64, accounts []wire.Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version != c.version {
		return
	}
	for i := range accounts {
		c.put(accounts[i])
	}
}

// commit puts in what a layer changed.
func (c *cache) commit(accounts []wire.Account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	for i := range accounts {
		c.put(accounts[i])
	}
}

// forget empties the cache.
func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	c.hot, c.cold = map[wire.Address]wire.Account{}, nil
}

func (c *cache) put(a wire.Account) {
	if len(c.hot) >= c.limit {
		if _, ok := c.hot[a.Address]; !ok {
			c.cold, c.hot = c.hot, make(map[wire.Address]wire.Account, c.limit)
		}
	}
	c.hot[a.Address] = a
}

func (c *cache) stats() (accounts int, hits, misses uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.hot) + len(c.cold), c.hits, c.misses
}
