// Package inference says what may be concluded from the trials of a study: paired
// effects with t intervals, corrections for many comparisons, equivalence within a
// declared margin, the smallest effect that a design can see, and verdicts.
//
// It is pure arithmetic over numbers: it knows nothing of trials, files or tables.
// Start with Compare for one variant and FamilyBy for all variants of a study with a
// number of replicates; with Sequential and Together where replicates are added until
// variants are settled.
//
// # Which interval is which
//
// Low and High are the variant's own t interval: it covers the true effect with
// probability 1-alpha, one variant at a time. WideLow and WideHigh are Bonferroni
// intervals (level 1-alpha/m over m comparisons): with probability of at least
// 1-alpha all of them cover at once. Better and Worse follow Holm's p values, which
// reject whatever Bonferroni rejects and sometimes more; so a Bonferroni interval may
// hold zero where Holm's p value is just below alpha. Equivalent follows the
// Bonferroni interval.
//
// A missing number is NaN in Go and null in JSON, never zero.
package inference
