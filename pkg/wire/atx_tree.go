package wire

import (
	"encoding/binary"
	"slices"

	"github.com/smeshery/smeshery/pkg/codec"
)

// This file computes the ID of a version 2 ATX: the root of a tree of trees
// over its fields (spec 01 §6.3).

// nodePrefix separates inner nodes from leaves.
const nodePrefix = 1

// joinNodes is the node function of the trees.
func joinNodes(left, right []byte) Hash32 {
	// 1 + 2 × (the longest leaf, the indices of a PoST)
	var buf [1 + 2*MaxPostIndices]byte
	b := append(buf[:0], nodePrefix)
	b = append(b, left...)
	return Sum(append(b, right...))
}

// zeroSubtrees[k] is the root of 2^k zero leaves.
var zeroSubtrees = func() (roots [9]Hash32) {
	for k := range len(roots) - 1 {
		roots[k+1] = joinNodes(roots[k][:], roots[k][:])
	}
	return roots
}()

// treeRoot is the root over a few leaves, padded with zero leaves on the right
// of every odd level. Zero-length leaves follow the streaming rule of spec 01
// §22.1: at an even position they vanish.
func treeRoot(leaves ...[]byte) Hash32 {
	return foldLevels(dropEmpty(leaves), 0, func(int) []byte { return zeroSubtrees[0][:] })
}

// paddedRoot is the root over 2^height leaves, the given ones and zero leaves after them.
func paddedRoot(leaves [][]byte, height int) Hash32 {
	kept := dropEmpty(leaves)
	if dropped := len(leaves) - len(kept); dropped > 1 {
		// The tree is more than one leaf short of a full one, so that
		// whole zero subtrees do not line up: stream it.
		for len(kept) < 1<<height-dropped {
			kept = append(kept, zeroSubtrees[0][:])
		}
		return treeRoot(kept...)
	}
	return foldLevels(kept, height, func(level int) []byte { return zeroSubtrees[level][:] })
}

// dropEmpty removes the zero-length leaves that arrive when nothing is parked.
func dropEmpty(leaves [][]byte) [][]byte {
	kept := make([][]byte, 0, len(leaves))
	for _, leaf := range leaves {
		if len(leaf) > 0 || len(kept)%2 == 1 {
			kept = append(kept, leaf)
		}
	}
	return kept
}

// foldLevels joins pairs until one node is left and at least height levels
// were climbed; pad gives the right neighbour of an unpaired node.
func foldLevels(level [][]byte, height int, pad func(level int) []byte) (root Hash32) {
	if len(level) == 0 {
		copy(root[:], zeroSubtrees[height][:])
		return root
	}
	nodes := make([]Hash32, (len(level)+1)/2)
	for h := 0; len(level) > 1 || h < height; h++ {
		if len(level)%2 == 1 {
			level = append(level, pad(h))
		}
		for i := range len(level) / 2 {
			nodes[i] = joinNodes(level[2*i], level[2*i+1])
			level[i] = nodes[i][:]
		}
		level = level[:len(level)/2]
	}
	copy(root[:], level[0])
	return root
}

func u32leaf(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// wideLeaf is an integer extended with zeros to 32 bytes.
func wideLeaf(v uint64) []byte {
	b := make([]byte, 32)
	binary.LittleEndian.PutUint64(b, v)
	return b
}

// MerkleRoot is post_root of spec 01 §6.3.
func (p *PostV1) MerkleRoot() Hash32 {
	return treeRoot(u32leaf(p.Nonce), p.Indices, binary.LittleEndian.AppendUint64(nil, p.Pow))
}

// MerkleRoot is initial_root of spec 01 §6.3.
func (i *InitialAtxPartsV2) MerkleRoot() Hash32 {
	post := i.Post.MerkleRoot()
	return treeRoot(i.CommitmentATX[:], post[:])
}

// MerkleRoot is marriage_root of spec 01 §6.3.
func (m *MarriageCertificate) MerkleRoot() Hash32 {
	return treeRoot(m.ReferenceAtx[:], m.Signature[:])
}

// MerkleRoot is subpost_root of spec 01 §6.3. It is false for a sub-post whose
// previous ATX is not in the list; such a sub-post stands as an empty leaf.
func (s *SubPostV2) MerkleRoot(previous []ATXID) (Hash32, bool) {
	if uint64(s.PrevATXIndex) >= uint64(len(previous)) {
		return Hash32{}, false
	}
	post := s.Post.MerkleRoot()
	return treeRoot(u32leaf(s.MarriageIndex), previous[s.PrevATXIndex][:],
		wideLeaf(s.MembershipLeafIndex), post[:], u32leaf(s.NumUnits)), true
}

// MerkleRoot is nipost_root of spec 01 §6.3.
func (n *NiPostsV2) MerkleRoot(previous []ATXID) Hash32 {
	posts := make([][]byte, len(n.Posts))
	for i := range n.Posts {
		if root, ok := n.Posts[i].MerkleRoot(previous); ok {
			posts[i] = root[:]
		}
	}
	sub := paddedRoot(posts, 8)
	leaf := sub[:]
	if len(posts) == MaxSubPosts && !slices.ContainsFunc(posts, func(l []byte) bool { return len(l) > 0 }) {
		leaf = nil // no leaf and no room for a zero one: the root of an empty tree is empty
	}
	return treeRoot(codec.MustEncode(&n.Membership), n.Challenge[:], leaf)
}

// MarriagesRoot is marriages_root of spec 01 §6.3.
func (a *ActivationTxV2) MarriagesRoot() Hash32 {
	leaves := make([][]byte, len(a.Marriages))
	for i := range a.Marriages {
		root := a.Marriages[i].MerkleRoot()
		leaves[i] = root[:]
	}
	return paddedRoot(leaves, 8)
}

// FieldLeaves are the nine leaves whose tree is the ID, in the order of spec 01 §6.3.
func (a *ActivationTxV2) FieldLeaves() [9][]byte {
	zero := make([]byte, 32)
	initial, marriage := zero, zero
	if a.Initial != nil {
		root := a.Initial.MerkleRoot()
		initial = root[:]
	}
	if a.MarriageATX != nil {
		marriage = a.MarriageATX[:]
	}
	previous := make([][]byte, len(a.PreviousATXs))
	for i := range a.PreviousATXs {
		previous[i] = a.PreviousATXs[i][:]
	}
	niposts := make([][]byte, len(a.NiPosts))
	for i := range a.NiPosts {
		root := a.NiPosts[i].MerkleRoot(a.PreviousATXs)
		niposts[i] = root[:]
	}
	prev, nips, marriages := paddedRoot(previous, 8), paddedRoot(niposts, 2), a.MarriagesRoot()
	return [9][]byte{
		wideLeaf(uint64(a.PublishEpoch)), a.PositioningATX[:], a.Coinbase[:], initial, prev[:],
		nips[:], wideLeaf(a.VRFNonce), marriages[:], marriage,
	}
}

// ID is the root over all fields but smesher and signature (spec 01 §6.3).
func (a *ActivationTxV2) ID() ATXID {
	leaves := a.FieldLeaves()
	return ATXID(treeRoot(leaves[:]...))
}
