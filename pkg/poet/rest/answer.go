package rest

import (
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
	"github.com/smeshery/smeshery/pkg/wire"
)

// CertifierInfo is where certificates are to be had; an empty URL means nowhere.
type CertifierInfo struct {
	URL    string
	Pubkey []byte
}

// Info is what a server says about itself (spec 03 §12.4).
type Info struct {
	ServicePubkey []byte
	PhaseShift    time.Duration
	CycleGap      time.Duration
	// Certifier may be nil.
	Certifier *CertifierInfo
}

// Body is the answer of GET /v1/info.
func (i *Info) Body() []byte {
	type certifier struct {
		URL    string     `json:"url"`
		Pubkey base64Text `json:"pubkey"`
	}
	body := struct {
		ServicePubkey base64Text `json:"servicePubkey"`
		PhaseShift    string     `json:"phaseShift"`
		CycleGap      string     `json:"cycleGap"`
		Certifier     *certifier `json:"certifier"`
	}{i.ServicePubkey, durationText(i.PhaseShift), durationText(i.CycleGap), nil}
	if c := i.Certifier; c != nil {
		body.Certifier = &certifier{c.URL, c.Pubkey}
	}
	return compact(body)
}

// ParseInfo reads the answer of GET /v1/info.
func ParseInfo(body []byte) (Info, error) {
	f, err := parseFields(body)
	if err != nil {
		return Info{}, err
	}
	var info Info
	var certifier fields
	present, err := f.object(&certifier, "certifier")
	if present {
		info.Certifier = new(CertifierInfo)
		err = firstError(err,
			certifier.text(&info.Certifier.URL, "url"),
			certifier.bytes(&info.Certifier.Pubkey, "pubkey"))
	}
	return info, firstError(err,
		f.bytes(&info.ServicePubkey, "servicePubkey", "service_pubkey"),
		f.duration(&info.PhaseShift, "phaseShift", "phase_shift"),
		f.duration(&info.CycleGap, "cycleGap", "cycle_gap"))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// PowParamsBody is the answer of GET /v1/pow_params.
func PowParamsBody(params poet.PowParams) []byte {
	type pow struct {
		Difficulty uint32     `json:"difficulty"`
		Challenge  base64Text `json:"challenge"`
	}
	return compact(struct {
		Pow pow `json:"powParams"`
	}{pow{params.Difficulty, params.Challenge}})
}

// ParsePowParams reads the answer of GET /v1/pow_params.
func ParsePowParams(body []byte) (poet.PowParams, error) {
	f, err := parseFields(body)
	if err != nil {
		return poet.PowParams{}, err
	}
	return parsePow(f)
}

// Registered is the answer of POST /v1/submit.
type Registered struct {
	RoundID string
	// Remaining is the time until the round ends.
	Remaining time.Duration
}

// Body is the answer's JSON.
func (r *Registered) Body() []byte {
	return compact(struct {
		RoundID  string `json:"roundId"`
		RoundEnd string `json:"roundEnd"`
	}{r.RoundID, durationText(r.Remaining)})
}

// ParseRegistered reads the answer of POST /v1/submit.
func ParseRegistered(body []byte) (Registered, error) {
	f, err := parseFields(body)
	if err != nil {
		return Registered{}, err
	}
	var r Registered
	return r, firstError(
		f.text(&r.RoundID, "roundId", "round_id"),
		f.duration(&r.Remaining, "roundEnd", "round_end"))
}

// Proof is a finished round as it is published.
type Proof struct {
	Proof   wire.PoetProof
	Members [][]byte
	Pubkey  []byte
}

// Body is the answer of GET /v1/proofs/{round}.
func (p *Proof) Body() []byte {
	type merkle struct {
		Root         base64Text   `json:"root"`
		ProvenLeaves []base64Text `json:"provenLeaves"`
		ProofNodes   []base64Text `json:"proofNodes"`
	}
	type round struct {
		Proof   merkle       `json:"proof"`
		Members []base64Text `json:"members"`
		Leaves  uint64       `json:"leaves,string"`
	}
	return compact(struct {
		Proof  round      `json:"proof"`
		Pubkey base64Text `json:"pubkey"`
	}{
		round{
			merkle{p.Proof.Root, base64Texts(p.Proof.ProvenLeaves), base64Texts(p.Proof.ProofNodes)},
			base64Texts(p.Members), p.Proof.LeafCount,
		},
		p.Pubkey,
	})
}

// ParseProof reads the answer of GET /v1/proofs/{round}.
func ParseProof(body []byte) (Proof, error) {
	f, err := parseFields(body)
	if err != nil {
		return Proof{}, err
	}
	var p Proof
	var round, merkle fields
	_, err = f.object(&round, "proof")
	_, inner := round.object(&merkle, "proof")
	return p, firstError(err, inner,
		f.bytes(&p.Pubkey, "pubkey"),
		round.list(&p.Members, "members"),
		round.unsigned(&p.Proof.LeafCount, 64, "leaves"),
		merkle.bytes(&p.Proof.Root, "root"),
		merkle.list(&p.Proof.ProvenLeaves, "provenLeaves", "proven_leaves"),
		merkle.list(&p.Proof.ProofNodes, "proofNodes", "proof_nodes"))
}
