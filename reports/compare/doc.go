// Package compare sets two studies side by side: the arms that change the same, their effects in either study and the
// difference between these, the two baselines, the best configurations of searches, and everything that is recorded to
// differ between the studies.
//
// It reads two snapshots and nothing else, and tests with studies/inference. It draws no charts and writes no files:
// reports/html does. Start with New.
package compare
