// Package cores spreads work over the processor's cores.
package cores
