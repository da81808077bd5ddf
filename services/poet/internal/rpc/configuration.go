package rpc

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Configuration lets an operator change what a server was configured with.
type Configuration struct {
	UnimplementedConfigurationServiceServer

	// Reload reads the trusted keys again.
	Reload func() error
}

// ReloadTrustedKeys implements ConfigurationServiceServer. With an error the keys
// of before stay.
func (c *Configuration) ReloadTrustedKeys(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	if err := c.Reload(); err != nil {
		return nil, status.Error(codes.Unknown, err.Error())
	}
	return &emptypb.Empty{}, nil
}
