package wallet_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/smeshery/smeshery/internal/vectors"
	"github.com/smeshery/smeshery/pkg/address"
	"github.com/smeshery/smeshery/pkg/wallet"
)

type derivedPair struct {
	DisplayName, Path, PublicKey, SecretKey string
	SM                                      string `json:"address_sm"`
	Stest                                   string `json:"address_stest"`
}

func TestWalletDerive(t *testing.T) {
	type vector struct {
		Mnemonic string
		Accounts []derivedPair
		Count    int `json:"accounts_requested"`
		Master   derivedPair
		Seed     vectors.Hex
		Error    string
	}
	same := func(t *testing.T, want derivedPair, got wallet.KeyPair) {
		require.Equal(t, want.DisplayName, got.DisplayName)
		require.Equal(t, want.Path, got.Path)
		require.Equal(t, want.PublicKey, got.PublicKey)
		require.Equal(t, want.SecretKey, got.SecretKey)
		a, err := got.Address()
		require.NoError(t, err)
		require.Equal(t, want.SM, address.Text("sm", a))
		require.Equal(t, want.Stest, address.Text("stest", a))
		_, err = got.Key()
		require.NoError(t, err)
	}
	vectors.Run(t, "api/wallet_derive", func(t *testing.T, c vector) {
		got, err := wallet.Derive(c.Mnemonic, c.Count, time.Now())
		if c.Error != "" {
			require.EqualError(t, err, c.Error)
			return
		}
		require.NoError(t, err)
		seed, err := wallet.Seed(c.Mnemonic)
		require.NoError(t, err)
		require.Equal(t, c.Seed.String(), vectors.Hex(seed[:]).String())
		require.Equal(t, c.Mnemonic, got.Mnemonic)
		same(t, c.Master, *got.Master)
		require.Len(t, got.Accounts, len(c.Accounts))
		require.Len(t, got.Accounts, c.Count)
		for i := range c.Accounts {
			same(t, c.Accounts[i], got.Accounts[i])
		}
	})
}

func TestWalletFile(t *testing.T) {
	type vector struct {
		File     json.RawMessage
		Password string
		Meta     wallet.Meta
		Secrets  json.RawMessage
		Error    string
	}
	vectors.Run(t, "api/wallet_file", func(t *testing.T, c vector) {
		f, err := wallet.Parse(c.File)
		var got wallet.Secrets
		if err == nil {
			got, err = wallet.Open(&f, c.Password)
		}
		if c.Error != "" {
			require.EqualError(t, err, c.Error)
			return
		}
		require.NoError(t, err)
		require.Equal(t, c.Meta, f.Meta)
		raw, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(c.Secrets), string(raw))
		// Sealed again with the same salt and iv it is the same file.
		if !f.Weak() && f.Crypto.Cipher == "AES-GCM" {
			again, err := wallet.Seal(f.Meta, &got, c.Password, [16]byte(f.Crypto.KDFParams.Salt), [12]byte(f.Crypto.CipherParams.IV))
			require.NoError(t, err)
			text, err := wallet.Format(again)
			require.NoError(t, err)
			require.JSONEq(t, string(c.File), string(text))
			require.True(t, strings.HasSuffix(string(text), "}\n"))
		}
	})
}

func TestWordsOfAnyEntropyAreGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{16, 20, 24, 28, 32}).Draw(t, "size")
		entropy := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "entropy")
		text, err := wallet.Mnemonic(entropy)
		require.NoError(t, err)
		require.Len(t, strings.Fields(text), n*8/32*3)
		require.NoError(t, wallet.CheckMnemonic(text))
	})
	for _, n := range []int{0, 15, 17, 33, 64} {
		_, err := wallet.Mnemonic(make([]byte, n))
		require.Error(t, err)
	}
}

func TestFilesThatAskTooMuch(t *testing.T) {
	var f wallet.File
	f.Crypto.KDFParams.Salt = make([]byte, 16)
	f.Crypto.KDFParams.Iterations = 1 << 40
	_, err := wallet.Open(&f, "")
	require.ErrorIs(t, err, wallet.ErrIterations)
	f.Crypto.KDFParams.Iterations = 1
	f.Crypto.CipherParams.IV = make([]byte, 16)
	_, err = wallet.Open(&f, "")
	require.ErrorIs(t, err, wallet.ErrIV)
	_, err = wallet.Parse(make([]byte, 2<<20))
	require.ErrorIs(t, err, wallet.ErrTooLong)
	require.True(t, f.Weak())
}

func TestKeysInDevicesCannotSign(t *testing.T) {
	s, err := wallet.Derive(strings.Repeat("abandon ", 11)+"about", 1, time.Unix(0, 0))
	require.NoError(t, err)
	require.Equal(t, "1970-01-01T00-00-00.000Z", s.Accounts[0].Created)
	pair := s.Accounts[0]
	pair.SecretKey = ""
	_, err = pair.Key()
	require.ErrorContains(t, err, "no secret key")
	pair.SecretKey = s.Master.SecretKey
	_, err = pair.Key()
	require.ErrorContains(t, err, "do not belong together")
	pair.PublicKey = "00"
	_, err = pair.Address()
	require.ErrorContains(t, err, "no public key")
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"meta":{},"crypto":{"cipherText":"00","cipherParams":{"iv":"000000000000000000000000"},"kdfparams":{"salt":"00000000000000000000000000000000","iterations":1}}}`), "")
	f.Fuzz(func(t *testing.T, raw []byte, password string) {
		file, err := wallet.Parse(raw)
		if err != nil || file.Crypto.KDFParams.Iterations > 100 {
			return
		}
		_, _ = wallet.Open(&file, password)
		again, err := wallet.Format(&file)
		require.NoError(t, err)
		_, err = wallet.Parse(again)
		require.NoError(t, err)
	})
}

func FuzzMnemonic(f *testing.F) {
	f.Add(strings.Repeat("abandon ", 11) + "about")
	f.Fuzz(func(t *testing.T, text string) {
		if wallet.CheckMnemonic(text) == nil {
			_, err := wallet.Seed(text)
			require.NoError(t, err)
		}
	})
}
