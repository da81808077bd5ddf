package v2

import (
	"context"
	"encoding/hex"
	"strconv"

	pb "github.com/spacemeshos/api/release/go/spacemesh/v2alpha1"

	"github.com/smeshery/smeshery/pkg/codec"
	"github.com/smeshery/smeshery/pkg/store/read/activation"
	"github.com/smeshery/smeshery/pkg/wire"
	"github.com/smeshery/smeshery/services/api-gateway/internal/node"
)

// malfeasanceService is spec 09 §3.4.
type malfeasanceService struct{ n *node.Node }

// List is a page of identities with a proof against them. A proof that is not
// known to this release is left out of its page.
func (s *malfeasanceService) List(ctx context.Context, r *pb.MalfeasanceRequest) (*pb.MalfeasanceList, error) {
	if err := checkLimit(r.Limit); err != nil {
		return nil, err
	}
	ctx, cancel := s.n.Bound(ctx)
	defer cancel()
	found, err := activation.ListProofs(ctx, s.n.DB, orNil(r.SmesherId), nil, int64(r.Limit), offset(r.Offset))
	if err != nil {
		return nil, node.Failed(err)
	}
	out := &pb.MalfeasanceList{}
	for _, e := range found {
		if proof := proofOf(e.Node, e.Proof); proof != nil {
			out.Proofs = append(out.Proofs, proof)
		}
	}
	return out, nil
}

// short is the form of ids in texts: their first bytes.
func short[T ~[32]byte](id T) string {
	b := [32]byte(id)
	return hex.EncodeToString(b[:5])
}

func full[T ~[32]byte](id T) string {
	b := [32]byte(id)
	return hex.EncodeToString(b[:])
}

func decimal(v uint32) string { return strconv.FormatUint(uint64(v), 10) }

// proofOf tells what a stored proof shows; nil if its bytes are no proof.
func proofOf(id wire.NodeID, blob []byte) *pb.MalfeasanceProof {
	var proof wire.MalfeasanceProof
	if err := codec.Decode(blob, &proof); err != nil {
		return nil
	}
	p := properties(proof.Data)
	if p == nil {
		return nil
	}
	p["smesher_id"] = full(proof.Data.MaliciousID())
	return &pb.MalfeasanceProof{Smesher: id[:], Type: uint32(proof.Type), Properties: p}
}

// properties are those of spec 09 §3.4, without the identity.
func properties(data wire.MalfeasanceData) map[string]string {
	switch p := data.(type) {
	case *wire.AtxProof:
		a, b := &p.Messages[0].InnerMsg, &p.Messages[1].InnerMsg
		return map[string]string{"atx1": full(a.MsgHash), "atx2": full(b.MsgHash), "publish_epoch": decimal(uint32(a.PublishEpoch))}
	case *wire.BallotProof:
		a, b := &p.Messages[0].InnerMsg, &p.Messages[1].InnerMsg
		return map[string]string{"msg1": full(a.MsgHash), "msg2": full(b.MsgHash), "layer": decimal(uint32(a.Layer))}
	case *wire.HareProof:
		a, b := &p.Messages[0].InnerMsg, &p.Messages[1].InnerMsg
		return map[string]string{
			"msg1": full(a.MsgHash), "msg2": full(b.MsgHash), "layer": decimal(uint32(a.Layer)), "round": decimal(a.Round),
		}
	case *wire.InvalidPostIndexProof:
		return map[string]string{"atx": short(p.Atx.ID()), "index": decimal(p.InvalidIdx)}
	case *wire.InvalidPrevAtxProof:
		return map[string]string{"atx1": short(p.Atx1.ID()), "atx2": short(p.Atx2.ID()), "prev_atx": short(p.Atx1.PrevATXID)}
	}
	return nil
}
