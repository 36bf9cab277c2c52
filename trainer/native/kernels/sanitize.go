//go:build sanitize

package kernels

// Sanitizers take minutes to compile what -O3 unrolls; .ci/sanitize.sh sets this tag.

// #cgo CFLAGS: -O1
import "C"
