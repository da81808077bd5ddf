package rest

import (
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
)

// SubmitRequest asks to register a challenge (spec 03 §8.1).
type SubmitRequest struct {
	Nonce uint64
	// Pow are the parameters that Nonce solves.
	Pow       poet.PowParams
	Prefix    []byte
	Challenge []byte
	Pubkey    []byte
	Signature []byte
	// Deadline is the latest acceptable end of the round; nil means any.
	Deadline *time.Time
	// Certificate, if present, replaces the proof of work.
	Certificate *poet.SignedCertificate
	// Hint is how the key of the certificate begins; empty means the default key.
	Hint []byte
}

// ParseSubmit reads the JSON of a request; an empty body is an empty request.
func ParseSubmit(body []byte) (SubmitRequest, error) {
	f, err := parseFields(body)
	if err != nil {
		return SubmitRequest{}, err
	}
	var r SubmitRequest
	for _, read := range []error{
		f.unsigned(&r.Nonce, 64, "nonce"),
		f.bytes(&r.Prefix, "prefix"),
		f.bytes(&r.Challenge, "challenge"),
		f.bytes(&r.Pubkey, "pubkey"),
		f.bytes(&r.Signature, "signature"),
		f.timestamp(&r.Deadline, "deadline"),
		f.bytes(&r.Hint, "certificatePubkeyHint", "certificate_pubkey_hint"),
		r.parsePow(f),
		r.parseCertificate(f),
	} {
		if read != nil {
			return SubmitRequest{}, read
		}
	}
	return r, nil
}

func (r *SubmitRequest) parsePow(f fields) (err error) {
	r.Pow, err = parsePow(f)
	return err
}

func parsePow(f fields) (poet.PowParams, error) {
	var pow fields
	var difficulty uint64
	var params poet.PowParams
	if _, err := f.object(&pow, "powParams", "pow_params"); err != nil {
		return params, err
	}
	if err := pow.unsigned(&difficulty, 32, "difficulty"); err != nil {
		return params, err
	}
	params.Difficulty = uint32(difficulty)
	return params, pow.bytes(&params.Challenge, "challenge")
}

func (r *SubmitRequest) parseCertificate(f fields) error {
	var certificate fields
	present, err := f.object(&certificate, "certificate")
	if err != nil || !present {
		return err
	}
	r.Certificate = new(poet.SignedCertificate)
	if err := certificate.bytes(&r.Certificate.Data, "data"); err != nil {
		return err
	}
	return certificate.bytes(&r.Certificate.Signature, "signature")
}

// Body is the JSON of the request: unset fields are left out (spec 03 §14.1).
func (r *SubmitRequest) Body() []byte {
	type pow struct {
		Difficulty uint32     `json:"difficulty,omitempty"`
		Challenge  base64Text `json:"challenge,omitempty"`
	}
	type certificate struct {
		Data      base64Text `json:"data,omitempty"`
		Signature base64Text `json:"signature,omitempty"`
	}
	body := struct {
		Nonce       uint64       `json:"nonce,string,omitempty"`
		Pow         *pow         `json:"powParams,omitempty"`
		Prefix      base64Text   `json:"prefix,omitempty"`
		Challenge   base64Text   `json:"challenge,omitempty"`
		Pubkey      base64Text   `json:"pubkey,omitempty"`
		Signature   base64Text   `json:"signature,omitempty"`
		Deadline    string       `json:"deadline,omitempty"`
		Certificate *certificate `json:"certificate,omitempty"`
		Hint        base64Text   `json:"certificatePubkeyHint,omitempty"`
	}{
		Nonce: r.Nonce, Prefix: r.Prefix, Challenge: r.Challenge,
		Pubkey: r.Pubkey, Signature: r.Signature, Hint: r.Hint,
	}
	if r.Pow.Difficulty > 0 || len(r.Pow.Challenge) > 0 {
		body.Pow = &pow{r.Pow.Difficulty, r.Pow.Challenge}
	}
	if r.Deadline != nil {
		body.Deadline = timestampText(*r.Deadline)
	}
	if c := r.Certificate; c != nil {
		body.Certificate = &certificate{c.Data, c.Signature}
	}
	return compact(body)
}
