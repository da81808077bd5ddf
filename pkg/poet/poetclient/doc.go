// Package poetclient talks to PoET servers and certifiers over HTTP: it sends
// what package rest words, retries as spec 03 §14.2 and §15.1 say, and bounds
// what it reads. It keeps no state besides its connections; caching, storing
// certificates and choosing among PoETs is its owner's business.
package poetclient
