// Package cpu is the post.Engine that computes labels on the machine's cores.
package cpu
