//go:build asan

package emulator

// With go test -asan kernels are checked too, and for undefined behaviour with them.
var sanitize = []string{"-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"}
