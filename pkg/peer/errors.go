package peer

import "errors"

// ErrDisconnect means that the connection to the peer has to be closed. Every
// other error of reading a stream closes just the stream (spec 08, terms).
var ErrDisconnect = errors.New("request above its limit")

// Errors of streams and files.
var (
	ErrRequestTooLong = errors.New("request above its limit, not sent")
	ErrFrameLength    = errors.New("invalid frame length")
	ErrNoCookie       = errors.New("peer has no network cookie")
	ErrCookieTooLong  = errors.New("network cookie too long")
	ErrCookieDiffers  = errors.New("peer is of another network")
	ErrPeerID         = errors.New("invalid peer id")
	ErrKeyFile        = errors.New("invalid p2p key file")
	ErrPeersFile      = errors.New("invalid connected peers file")
)
