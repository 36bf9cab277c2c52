//go:build !asan

package emulator

var sanitize []string
