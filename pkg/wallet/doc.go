// Package wallet keeps the keys of accounts as smcli does: twenty-four words, from
// which keys are derived, in a file under a password (spec 09 §15).
//
//	words, _ := wallet.Mnemonic(entropy)
//	secrets, _ := wallet.Derive(words, 1, created)
//	file, _ := wallet.Seal(meta, secrets, password, salt, iv)
//	…
//	secrets, _ := wallet.Open(&file, password)
//
// Invariants:
//   - The same words give the same keys as in smcli and in every other wallet
//     that follows BIP-39 and SLIP-0010 with the path m/44'/540'/0'/0'/k'.
//   - A file that Seal wrote opens in smcli, and the other way around.
//   - Nothing is random in here: entropy, salt and iv come from the caller, which
//     must never use a pair of salt and iv twice.
package wallet
