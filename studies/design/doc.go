// Package design turns a study into the points to run: one-factor, leave-one-out, factorial, its regular fractions,
// Plackett-Burman, Latin hypercubes, Sobol points and grid, times data sets and replicates. It says what a
// design cannot tell apart (AliasesOf, Clear).
//
// It is pure and knows nothing of trainers, samplers or stores. Start with Points.
// A search has no points in advance: its sampler proposes them (package sweep).
//
// # Pairing
//
// Replicate r has the same seed in every arm, so that effects can be formed per
// seed. Points run replicate by replicate over all data sets and arms: a study that
// is stopped early is balanced up to its last replicate.
package design
