package wallet

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Reasons to refuse words (spec 09 §15.2); the texts are smcli's.
var (
	ErrWhitespace = errors.New("whitespace violation in mnemonic phrase")
	ErrMnemonic   = errors.New("invalid mnemonic")
)

// EntropySize is how many random bytes a new wallet takes; they make 24 words.
const EntropySize = 32

const (
	bitsPerWord    = 11
	seedSize       = 64
	seedIterations = 2048
)

func words() []string { return strings.Fields(english) }

// Mnemonic writes 16, 20, 24, 28 or 32 random bytes as 12 to 24 words.
func Mnemonic(entropy []byte) (string, error) {
	if len(entropy) < 16 || len(entropy) > 32 || len(entropy)%4 != 0 {
		return "", fmt.Errorf("%d bytes of entropy are not 16, 20, 24, 28 or 32", len(entropy))
	}
	list := words()
	sum := sha256.Sum256(entropy)
	bits := append(slices.Clone(entropy), sum[0])
	out := make([]string, len(entropy)*8/bitsPerWord+1)
	for i := range out {
		out[i] = list[take(bits, i*bitsPerWord)]
	}
	return strings.Join(out, " "), nil
}

// take reads the word number that starts at a bit.
func take(bits []byte, at int) (index int) {
	for i := at; i < at+bitsPerWord; i++ {
		index = index<<1 | int(bits[i/8]>>(7-i%8)&1)
	}
	return index
}

// CheckMnemonic tells what is wrong with words: ErrWhitespace, ErrMnemonic or
// nothing.
func CheckMnemonic(mnemonic string) error {
	parts := strings.Fields(mnemonic)
	if strings.Join(parts, " ") != mnemonic {
		return ErrWhitespace
	}
	n := len(parts)
	if n < 12 || n > 24 || n%3 != 0 {
		return ErrMnemonic
	}
	list := words()
	bits := make([]byte, (n*bitsPerWord+7)/8)
	for i, word := range parts {
		index, ok := slices.BinarySearch(list, word)
		if !ok {
			return ErrMnemonic
		}
		for b := range bitsPerWord {
			at := i*bitsPerWord + b
			bits[at/8] |= byte(index>>(bitsPerWord-1-b)&1) << (7 - at%8)
		}
	}
	// n words are n/3·32 bits of entropy and n/3 bits of its hash.
	sum := sha256.Sum256(bits[:n/3*4])
	if shift := 8 - n/3; sum[0]>>shift != bits[n/3*4]>>shift {
		return ErrMnemonic
	}
	return nil
}

// Seed is what keys are derived from. Words are checked first.
func Seed(mnemonic string) (seed [seedSize]byte, err error) {
	if err := CheckMnemonic(mnemonic); err != nil {
		return seed, err
	}
	raw, err := pbkdf2.Key(sha512.New, mnemonic, []byte("mnemonic"), seedIterations, seedSize)
	if err != nil {
		return seed, err
	}
	return [seedSize]byte(raw), nil
}
