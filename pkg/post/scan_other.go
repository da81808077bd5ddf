//go:build !amd64

package post

func hasVectorAES() bool { return false }

func scanGroups(labels, keys *byte, groups uint64, masks *uint64, threshold uint64) {}

func encryptLow(label, key *byte) uint64 { return 0 }
