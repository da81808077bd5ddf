package v1

import (
	"fmt"
	"strings"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v1"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/wire"
)

// evidence is a stored proof as users see it (spec 09 §5.4). Bytes that are no
// proof make an empty message.
func evidence(node wire.NodeID, stored []byte, withProof bool) *pb.MalfeasanceProof {
	var p wire.MalfeasanceProof
	if err := codec.Decode(stored, &p); err != nil {
		return &pb.MalfeasanceProof{}
	}
	out := &pb.MalfeasanceProof{
		SmesherId: &pb.SmesherId{Id: node[:]}, Layer: number(p.Layer),
		Kind: pb.MalfeasanceProof_MalfeasanceType(p.Type), DebugInfo: describe(node, &p),
	}
	if withProof {
		out.Proof = stored
	}
	return out
}

// describe is the text for people.
func describe(node wire.NodeID, p *wire.MalfeasanceProof) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "generate layer: %d\nsmesher id: %x\n", p.Layer, node[:])
	switch d := p.Data.(type) {
	case *wire.AtxProof:
		m := &d.Messages
		_, _ = fmt.Fprintf(&b, "cause: smesher published multiple ATXs in epoch %d\n", m[0].InnerMsg.PublishEpoch)
		pair(&b, m[0].InnerMsg.MsgHash, m[0].Signature, m[1].InnerMsg.MsgHash, m[1].Signature)
	case *wire.BallotProof:
		m := &d.Messages
		_, _ = fmt.Fprintf(&b, "cause: smesher published multiple ballots in layer %d\n", m[0].InnerMsg.Layer)
		pair(&b, m[0].InnerMsg.MsgHash, m[0].Signature, m[1].InnerMsg.MsgHash, m[1].Signature)
	case *wire.HareProof:
		m := &d.Messages
		_, _ = fmt.Fprintf(&b, "cause: smesher published multiple hare messages in layer %d round %d\n", m[0].InnerMsg.Layer, m[0].InnerMsg.Round)
		pair(&b, m[0].InnerMsg.MsgHash, m[0].Signature, m[1].InnerMsg.MsgHash, m[1].Signature)
	case *wire.InvalidPostIndexProof:
		_, _ = fmt.Fprintf(&b, "cause: smesher published ATX %s with invalid post index %d in epoch %d\n",
			short(d.Atx.ID()), d.InvalidIdx, d.Atx.PublishEpoch)
	case *wire.InvalidPrevAtxProof:
		_, _ = fmt.Fprintf(&b, "cause: smesher published ATX %s with invalid previous ATX %s in epoch %d\n",
			short(d.Atx1.ID()), short(d.Atx2.ID()), d.Atx1.PublishEpoch)
	}
	return b.String()
}

func pair(b *strings.Builder, h1 wire.Hash32, s1 wire.EdSignature, h2 wire.Hash32, s2 wire.EdSignature) {
	_, _ = fmt.Fprintf(b, "1st message hash: %x\n1st message signature: %x\n", h1[:], s1[:])
	_, _ = fmt.Fprintf(b, "2nd message hash: %x\n2nd message signature: %x\n", h2[:], s2[:])
}

// short is how people are shown an id.
func short(id wire.ATXID) string { return fmt.Sprintf("%x", id[:5]) }
