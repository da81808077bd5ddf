package datadir

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/smeshery/smeshery/pkg/wallet"
)

// NewWallet makes the secrets of a wallet of n accounts from random bytes.
func NewWallet(n int, now time.Time, random io.Reader) (wallet.Secrets, error) {
	var entropy [wallet.EntropySize]byte
	if _, err := io.ReadFull(random, entropy[:]); err != nil {
		return wallet.Secrets{}, err
	}
	words, err := wallet.Mnemonic(entropy[:])
	if err != nil {
		return wallet.Secrets{}, err
	}
	return wallet.Derive(words, n, now)
}

// SaveWallet writes a wallet file, which only its owner can read. A file that is
// there is never overwritten.
func SaveWallet(path string, s *wallet.Secrets, password string, now time.Time, random io.Reader) error {
	var salt [wallet.SaltSize]byte
	var iv [wallet.IVSize]byte
	for _, b := range [][]byte{salt[:], iv[:]} {
		if _, err := io.ReadFull(random, b); err != nil {
			return err
		}
	}
	meta := wallet.Meta{DisplayName: "Main Wallet", Created: now.UTC().Format(wallet.CreatedLayout)}
	file, err := wallet.Seal(meta, s, password, salt, iv)
	if err != nil {
		return err
	}
	raw, err := wallet.Format(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return create(path, raw)
}

// create writes a file that is not there, whole or not at all.
func create(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

// OpenWallet reads a wallet file.
func OpenWallet(path, password string) (wallet.Secrets, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return wallet.Secrets{}, err
	}
	file, err := wallet.Parse(raw)
	if err != nil {
		return wallet.Secrets{}, fmt.Errorf("%s is no wallet: %w", path, err)
	}
	return wallet.Open(&file, password)
}
