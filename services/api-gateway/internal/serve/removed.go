package serve

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	deprecated     = "DEPRECATED"
	notYet         = "this endpoint has not yet been implemented"
	notImplemented = "this endpoint is not implemented"
)

// Removed are methods that older clients still call, with what they are told
// (spec 09 §10.3).
func Removed() map[string]string {
	return map[string]string{
		"/spacemesh.v1.GlobalStateService/SmesherDataQuery":    deprecated,
		"/spacemesh.v1.GlobalStateService/SmesherRewardStream": deprecated,
		"/spacemesh.v1.GlobalStateService/AppEventStream":      notYet,
		"/spacemesh.v1.SmesherService/SmesherID":               "this endpoint has been deprecated, use `SmesherIDs` instead",
		"/spacemesh.v1.SmesherService/MinGas":                  notImplemented,
		"/spacemesh.v1.SmesherService/SetMinGas":               notImplemented,
		"/spacemesh.v1.SmesherService/EstimatedRewards":        notImplemented,
	}
}

// RemovedJSON are the paths of those of them that had one.
func RemovedJSON() map[string]string {
	return map[string]string{
		"/v1/globalstate/smesherdataquery": deprecated,
	}
}

// unknown answers methods that no service has.
func unknown() grpc.ServerOption {
	removed := Removed()
	return grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		if text, ok := removed[method]; ok {
			return status.Error(codes.Unimplemented, text)
		}
		return status.Errorf(codes.Unimplemented, "unknown method %s", method)
	})
}
