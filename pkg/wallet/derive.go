package wallet

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/signing"
	"github.com/smeshery/smeshery/pkg/vm"
	"github.com/smeshery/smeshery/pkg/wire"
)

// MaxAccounts is how many accounts a wallet may have.
const MaxAccounts = 128

// ErrAccounts refuses a number of accounts; the text is smcli's.
var ErrAccounts = errors.New("invalid number of accounts")

// The path of accounts: purpose, coin, wallet and change, all hardened.
const (
	hardened = 1 << 31
	purpose  = 44
	coin     = 540
)

// CreatedLayout is how files write when something was made, in UTC.
const CreatedLayout = "2006-01-02T15-04-05.000Z"

// chain is a node of the tree of keys (SLIP-0010 for ed25519).
type chain struct{ key, code [32]byte }

func split(sum []byte) chain { return chain{[32]byte(sum[:32]), [32]byte(sum[32:])} }

func root(seed []byte) chain {
	mac := hmac.New(sha512.New, []byte("ed25519 seed"))
	mac.Write(seed)
	return split(mac.Sum(nil))
}

// child is the hardened child with an index; ed25519 has no others.
func (c chain) child(index uint32) chain {
	mac := hmac.New(sha512.New, c.code[:])
	mac.Write([]byte{0})
	mac.Write(c.key[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, index|hardened))
	return split(mac.Sum(nil))
}

func pathText(path []uint32) string {
	var b strings.Builder
	b.WriteString("m")
	for _, index := range path {
		fmt.Fprintf(&b, "/%d'", index)
	}
	return b.String()
}

// Derive makes the secrets of a wallet with the first n accounts of the words.
func Derive(mnemonic string, n int, created time.Time) (Secrets, error) {
	if n < 0 || n > MaxAccounts {
		return Secrets{}, ErrAccounts
	}
	seed, err := Seed(mnemonic)
	if err != nil {
		return Secrets{}, err
	}
	when := created.UTC().Format(CreatedLayout)
	path := []uint32{purpose, coin, 0, 0}
	c := root(seed[:])
	for _, index := range path {
		c = c.child(index)
	}
	master := c.pair("Master Key", path, when)
	out := Secrets{Mnemonic: mnemonic, Master: &master, Accounts: make([]KeyPair, n)}
	for i := range n {
		at := slices.Concat(path, []uint32{uint32(i)})
		out.Accounts[i] = c.child(uint32(i)).pair(fmt.Sprintf("Child Key %d", i), at, when)
	}
	return out, nil
}

func (c chain) pair(name string, path []uint32, created string) KeyPair {
	public := signing.NewWalletKey(c.key).PublicKey()
	return KeyPair{
		DisplayName: name, Created: created, Path: pathText(path),
		PublicKey: hex.EncodeToString(public[:]),
		SecretKey: hex.EncodeToString(append(c.key[:], public[:]...)),
	}
}

// Key is the signing key of a pair; a pair whose key is in a device has none.
func (k *KeyPair) Key() (signing.WalletKey, error) {
	raw, err := hex.DecodeString(k.SecretKey)
	if err != nil || len(raw) != 64 {
		return signing.WalletKey{}, fmt.Errorf("%q has no secret key of 64 bytes", k.DisplayName)
	}
	key := signing.NewWalletKey([32]byte(raw))
	if public := key.PublicKey(); hex.EncodeToString(public[:]) != k.PublicKey {
		return signing.WalletKey{}, fmt.Errorf("%q: public and secret key do not belong together", k.DisplayName)
	}
	return key, nil
}

// Address is the single-signature account of a pair's public key.
func (k *KeyPair) Address() (wire.Address, error) {
	raw, err := hex.DecodeString(k.PublicKey)
	if err != nil || len(raw) != 32 {
		return wire.Address{}, fmt.Errorf("%q has no public key of 32 bytes", k.DisplayName)
	}
	return vm.Principal(vm.Wallet, &vm.WalletArgs{PublicKey: wire.NodeID(raw)}), nil
}
