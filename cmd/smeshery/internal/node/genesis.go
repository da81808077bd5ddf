package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/smeshery/smeshery/pkg/network"
	"github.com/smeshery/smeshery/pkg/store"
	"github.com/smeshery/smeshery/pkg/store/read/state"
)

// ErrOtherNetwork says that a data directory belongs to another network.
var ErrOtherNetwork = errors.New("the data directory belongs to another network")

// genesisFile is what go-spacemesh keeps under the same name.
const genesisFile = "genesis.json"

type genesis struct {
	GenesisTime time.Time
	ExtraData   string
	Accounts    map[string]uint64
}

func genesisOf(g network.Genesis) genesis {
	out := genesis{GenesisTime: g.Time, ExtraData: g.ExtraData, Accounts: make(map[string]uint64, len(g.Accounts))}
	for _, a := range g.Accounts {
		out.Accounts[a.Address] = a.Balance
	}
	return out
}

// difference names the first part in which two geneses differ; empty if none.
func (g genesis) difference(other genesis) string {
	switch {
	case !g.GenesisTime.Equal(other.GenesisTime):
		return fmt.Sprintf("genesis time %s, not %s", g.GenesisTime.Format(time.RFC3339), other.GenesisTime.Format(time.RFC3339))
	case g.ExtraData != other.ExtraData:
		return fmt.Sprintf("genesis extra data %q, not %q", g.ExtraData, other.ExtraData)
	case !maps.Equal(g.Accounts, other.Accounts):
		return "other genesis accounts"
	}
	return ""
}

// ErrOtherDatabase says that a database belongs to another network.
var ErrOtherDatabase = errors.New("the database belongs to another network")

// checkNetwork keeps every service out of a database of another network, not only the
// one that wrote down whose it is.
func checkNetwork(ctx context.Context, db *store.DB, genesis network.Genesis) error {
	id, found, err := state.GenesisID(ctx, db)
	if code := store.Code(err); code == "42P01" || code == "3F000" || code == "42501" {
		return nil // not migrated yet, which the services tell
	}
	if err != nil {
		return err
	}
	if own := genesis.ID(); found && id != own {
		return fmt.Errorf("%w: it has genesis id %x, not %x; name another database, or make one", ErrOtherDatabase, id[:], own[:])
	}
	return nil
}

// claim writes down whose directory this is, or compares.
func claim(dir string, network network.Genesis) error {
	path, own := filepath.Join(dir, genesisFile), genesisOf(network)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return write(path, own)
	}
	if err != nil {
		return err
	}
	var found genesis
	if err := json.Unmarshal(raw, &found); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if d := found.difference(own); d != "" {
		return fmt.Errorf("%s: %w: it has %s; take another --data-dir, or remove this one", dir, ErrOtherNetwork, d)
	}
	return nil
}

// write puts the file there complete or not at all.
func write(path string, g genesis) error {
	raw, err := json.Marshal(g)
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
