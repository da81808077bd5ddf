package peer

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"slices"
)

// keyFile is p2p.key; the members' order is part of it (spec 08 §2.1).
type keyFile struct {
	Key []byte
	ID  ID
}

// privateKeyHead starts the protobuf of an Ed25519 private key.
func privateKeyHead() []byte { return []byte{0x08, 0x01, 0x12, 0x40} }

// HostKey is the host's Ed25519 key. It has nothing to do with identities.
type HostKey struct{ private ed25519.PrivateKey }

// NewHostKey makes the key of a seed.
func NewHostKey(seed [32]byte) HostKey { return HostKey{ed25519.NewKeyFromSeed(seed[:])} }

// Public is the public key.
func (k HostKey) Public() [32]byte { return [32]byte(k.private[32:]) }

// ID is the host's peer id.
func (k HostKey) ID() ID { return IDFromKey(k.Public()) }

// Protobuf is the key as libp2p marshals it.
func (k HostKey) Protobuf() []byte { return slices.Concat(privateKeyHead(), k.private) }

// File is the content of p2p.key.
func (k HostKey) File() []byte {
	raw, err := json.Marshal(keyFile{k.Protobuf(), k.ID()})
	if err != nil {
		panic(err) // two strings
	}
	return raw
}

// ParseKeyFile reads p2p.key. The ID must be well-formed but does not count.
func ParseKeyFile(raw []byte) (HostKey, error) {
	var file keyFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return HostKey{}, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	rest, ok := bytes.CutPrefix(file.Key, privateKeyHead())
	if !ok || len(rest) != ed25519.PrivateKeySize || file.ID == "" {
		return HostKey{}, fmt.Errorf("%w: not an ed25519 key", ErrKeyFile)
	}
	key := NewHostKey([32]byte(rest[:32]))
	if !bytes.Equal(rest[32:], key.private[32:]) {
		return HostKey{}, fmt.Errorf("%w: public key does not belong to the seed", ErrKeyFile)
	}
	return key, nil
}

// KnownPeer is a peer that was connected.
type KnownPeer struct {
	ID    ID
	Addrs []string
}

const checksumSize = 8

func checksum(lines []byte) uint64 { return crc64.Checksum(lines, crc64.MakeTable(crc64.ISO)) }

// EncodePeersFile is the content of connected.txt (spec 08 §2.9).
func EncodePeersFile(peers []KnownPeer) ([]byte, error) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, p := range peers {
		if err := encoder.Encode(p); err != nil {
			return nil, fmt.Errorf("encode peer %s: %w", p.ID, err)
		}
	}
	out := binary.BigEndian.AppendUint64(nil, checksum(lines.Bytes()))
	return append(out, lines.Bytes()...), nil
}

// ParsePeersFile reads connected.txt.
func ParsePeersFile(raw []byte) ([]KnownPeer, error) {
	if len(raw) < checksumSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrPeersFile, len(raw))
	}
	sum, lines := binary.BigEndian.Uint64(raw), raw[checksumSize:]
	if checksum(lines) != sum {
		return nil, fmt.Errorf("%w: checksum", ErrPeersFile)
	}
	var peers []KnownPeer
	decoder := json.NewDecoder(bytes.NewReader(lines))
	for decoder.More() {
		var p KnownPeer
		if err := decoder.Decode(&p); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPeersFile, err)
		}
		if p.ID == "" {
			return nil, fmt.Errorf("%w: peer without id", ErrPeersFile)
		}
		peers = append(peers, p)
	}
	return peers, nil
}
