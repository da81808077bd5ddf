package rest

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/smeshery/smeshery/pkg/poet"
)

// Request is an HTTP request, as far as it matters.
type Request struct {
	Method, Path string
	Body         []byte
}

// Response is an HTTP response with a JSON body.
type Response struct {
	Status int
	Body   []byte
}

// Rounds stores what a server registers and publishes. Its errors are Statuses,
// or failures of ours.
type Rounds interface {
	// Register adds a challenge to the open round and returns once it lasts.
	Register(r poet.Registration) error
	// Published is a finished round; false if there is no proof of it.
	Published(round uint32) (*Proof, bool, error)
}

// Server answers requests (spec 03 §12.4). It holds no state but configuration.
type Server struct {
	Info     Info
	Schedule poet.Schedule
	Gate     Gate
	Rounds   Rounds
}

// Handle answers one request. round is the open one: it is closed by its timer,
// not by the clock of a request.
func (s *Server) Handle(r Request, round uint32, now time.Time) Response {
	body, err := s.route(r, round, now)
	if err == nil {
		return Response{Status: 200, Body: body}
	}
	status, ok := errors.AsType[*Status](err)
	if !ok {
		status = refuse(CodeInternal, "unknown error")
	}
	return Response{Status: status.Code.HTTP(), Body: status.body()}
}

func (s *Server) route(r Request, round uint32, now time.Time) ([]byte, error) {
	path, known := strings.CutPrefix(r.Path, "/v1/")
	id, isProof := strings.CutPrefix(path, "proofs/")
	method := "GET"
	switch {
	case !known || strings.Contains(id, "/") || !isProof && path != "info" && path != "pow_params" && path != "submit":
		return nil, refuse(CodeNotFound, "Not Found")
	case path == "submit":
		method = "POST"
	}
	if r.Method != method {
		return nil, refuse(CodeUnimplemented, "Method Not Allowed")
	}
	switch path {
	case "info":
		return s.Info.Body(), nil
	case "pow_params":
		return PowParamsBody(s.Gate.Pow.Current), nil
	case "submit":
		return s.submit(r.Body, round, now)
	default:
		return s.proof(id)
	}
}

func (s *Server) submit(body []byte, round uint32, now time.Time) ([]byte, error) {
	request, err := ParseSubmit(body)
	if err != nil {
		return nil, refuse(CodeInvalidArgument, err.Error())
	}
	end := s.Schedule.RoundEnd(round)
	if status := s.Gate.Check(&request, end, now); status != nil {
		return nil, status
	}
	registration := poet.Registration{
		NodeID:    [32]byte(request.Pubkey),
		Challenge: poet.Node(request.Challenge),
	}
	if err := s.Rounds.Register(registration); err != nil {
		return nil, err
	}
	answer := Registered{RoundID: poet.ProofKey(round), Remaining: end.Sub(now)}
	return answer.Body(), nil
}

func (s *Server) proof(id string) ([]byte, error) {
	missing := refuse(CodeNotFound, "proof not found")
	round, err := strconv.ParseUint(id, 10, 32)
	if err != nil || poet.ProofKey(uint32(round)) != id {
		return nil, missing
	}
	proof, found, err := s.Rounds.Published(uint32(round))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, missing
	}
	return proof.Body(), nil
}
