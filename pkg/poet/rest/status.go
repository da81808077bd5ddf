package rest

// Code is a gRPC status code as the gateway reports it (spec 03 §12.4).
type Code int

// Codes that a PoET server answers with.
const (
	CodeInvalidArgument    Code = 3
	CodeNotFound           Code = 5
	CodeAlreadyExists      Code = 6
	CodeResourceExhausted  Code = 8
	CodeFailedPrecondition Code = 9
	CodeUnimplemented      Code = 12
	CodeInternal           Code = 13
	CodeUnauthenticated    Code = 16
)

// Status is a refusal: what the caller gets instead of an answer.
type Status struct {
	Code    Code
	Message string
}

func (s *Status) Error() string { return s.Message }

// HTTP is the response status for the code.
func (c Code) HTTP() int {
	switch c {
	case CodeInvalidArgument, CodeFailedPrecondition:
		return 400
	case CodeUnauthenticated:
		return 401
	case CodeNotFound:
		return 404
	case CodeAlreadyExists:
		return 409
	case CodeResourceExhausted:
		return 429
	case CodeUnimplemented:
		return 501
	default:
		return 500
	}
}

func (s *Status) body() []byte {
	return compact(struct {
		Code    Code     `json:"code"`
		Message string   `json:"message"`
		Details []string `json:"details"`
	}{s.Code, s.Message, []string{}})
}

func refuse(code Code, message string) *Status { return &Status{Code: code, Message: message} }
