// Package peers compares searches with other programs in one run: benchmarks only, under the build tag peers, that start
// Python programs beside our own (testdata, .ci/peers.sh). docs/BENCHMARKS.md has what they printed.
package peers
