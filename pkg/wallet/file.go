package wallet

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Sizes of a file's random parts, and the work that a password costs.
const (
	SaltSize   = 16
	IVSize     = 12
	Iterations = 210_000
	// maxIterations bounds what a file may ask of us.
	maxIterations = 50_000_000
	maxFile       = 1 << 20
	keySize       = 32
)

// Reasons not to open a file (spec 09 §15.3); the first text is smcli's.
var (
	ErrSalt       = errors.New("error reading encrypted wallet file salt, check salt length")
	ErrIV         = errors.New("the file's iv is not 12 bytes")
	ErrIterations = errors.New("the file asks for an unreasonable number of iterations")
	ErrTooLong    = errors.New("the file is too long for a wallet")
)

// File is a wallet as it lies on disk (spec 09 §15.3).
type File struct {
	Meta   Meta   `json:"meta"`
	Crypto Crypto `json:"crypto"`
}

// Meta is the part of a file that anybody can read.
type Meta struct {
	DisplayName string `json:"displayName"`
	Created     string `json:"created"`
	GenesisID   string `json:"genesisID"`
}

// Crypto is the encrypted part and what it takes to decrypt it. Names of
// algorithms are written and never read.
type Crypto struct {
	Cipher       string       `json:"cipher"`
	CipherText   Hex          `json:"cipherText"`
	CipherParams CipherParams `json:"cipherParams"`
	KDF          string       `json:"kdf"`
	KDFParams    KDFParams    `json:"kdfparams"`
}

// CipherParams of AES-256-GCM.
type CipherParams struct {
	IV Hex `json:"iv"`
}

// KDFParams of PBKDF2-HMAC-SHA512.
type KDFParams struct {
	DKLen      int    `json:"dklen"`
	Hash       string `json:"hash"`
	Salt       Hex    `json:"salt"`
	Iterations int    `json:"iterations"`
}

// Hex is bytes as lower-case hex digits.
type Hex []byte

// MarshalText is encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText is encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	*h = raw
	return err
}

// Secrets is the encrypted part.
type Secrets struct {
	Mnemonic string    `json:"mnemonic"`
	Master   *KeyPair  `json:"MasterKeypair"`
	Accounts []KeyPair `json:"accounts"`
}

// KeyPair is an account's keys, in hex.
type KeyPair struct {
	DisplayName string `json:"displayName"`
	Created     string `json:"created"`
	Path        string `json:"path"`
	PublicKey   string `json:"publicKey"`
	SecretKey   string `json:"secretKey"`
	// KeyType is 0 for keys that are here and 1 for those in a device.
	KeyType int `json:"keyType"`
}

// Parse reads a file. Unknown fields are ignored, as smcli does.
func Parse(raw []byte) (File, error) {
	var f File
	if len(raw) > maxFile {
		return f, ErrTooLong
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return File{}, err
	}
	return f, nil
}

// Format writes a file.
func Format(f *File) ([]byte, error) { return line(f) }

// line is JSON as smcli writes it: HTML is not escaped, a newline at the end.
func line(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// Seal encrypts secrets. A pair of salt and iv must be used once only.
func Seal(meta Meta, s *Secrets, password string, salt [SaltSize]byte, iv [IVSize]byte) (*File, error) {
	plain, err := line(s)
	if err != nil {
		return nil, err
	}
	f := &File{Meta: meta, Crypto: Crypto{
		Cipher: "AES-GCM", CipherParams: CipherParams{IV: iv[:]}, KDF: "PBKDF2",
		// The name of the hash is wrong, and what smcli writes.
		KDFParams: KDFParams{DKLen: keySize * 8, Hash: "SHA-256", Salt: salt[:], Iterations: Iterations},
	}}
	box, err := f.box(password)
	if err != nil {
		return nil, err
	}
	f.Crypto.CipherText = box.Seal(nil, iv[:], bytes.TrimSuffix(plain, []byte("\n")), nil)
	return f, nil
}

// Open decrypts a file's secrets.
func Open(f *File, password string) (Secrets, error) {
	var s Secrets
	box, err := f.box(password)
	if err != nil {
		return s, err
	}
	if len(f.Crypto.CipherParams.IV) != IVSize {
		return s, ErrIV
	}
	plain, err := box.Open(nil, f.Crypto.CipherParams.IV, f.Crypto.CipherText, nil)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return Secrets{}, fmt.Errorf("what the file holds is no wallet: %w", err)
	}
	return s, nil
}

// Weak tells whether guessing the password costs less than it should.
func (f *File) Weak() bool { return f.Crypto.KDFParams.Iterations < Iterations }

func (f *File) box(password string) (cipher.AEAD, error) {
	p := &f.Crypto.KDFParams
	if len(p.Salt) != SaltSize {
		return nil, ErrSalt
	}
	if p.Iterations > maxIterations {
		return nil, ErrIterations
	}
	key, err := pbkdf2.Key(sha512.New, password, p.Salt, max(p.Iterations, 1), keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
