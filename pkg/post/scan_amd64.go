package post

import "golang.org/x/sys/cpu"

func hasVectorAES() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VAES
}

// scanGroups encrypts 32 labels under the expanded key of each group and stores 8
// words a group: bit 16·l+j of word w says that byte j of label 4·w+l is at most
// threshold.
//
//go:noescape
func scanGroups(labels, keys *byte, groups uint64, masks *uint64, threshold uint64)

// encryptLow encrypts a label under an expanded key and returns the first eight
// bytes, little endian.
//
//go:noescape
func encryptLow(label, key *byte) uint64
