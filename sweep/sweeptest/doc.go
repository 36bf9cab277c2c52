// Package sweeptest holds the conformance suites of sweep.Sampler and
// sweep.Pruner, and Play, which lets a sampler search a function.
//
// Start with TestSampler or TestPruner in the tests of a new algorithm.
package sweeptest
