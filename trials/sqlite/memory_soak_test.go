//go:build soak

package sqlite_test

// memoryTrials is how many trials TestMemory reads.
const memoryTrials = 100_000
