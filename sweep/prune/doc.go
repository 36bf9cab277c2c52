// Package prune holds the pruners of our own: median, percentile, patient, threshold and Wilcoxon, and ASHA and
// Hyperband, which let pruned trials go on (sweep.Promoter).
//
// They know the history of a study and nothing of stores, trainers or the engine. Every decision is a pure function of the
// history; a trial is compared with trials on the same data set alone. A trial that continues another one is judged by the
// curve of the whole chain. Values that are not finite are never judged: a run that has diverged is another thing.
//
// Start with field.go (what a history tells of a point) and rungs.go (successive halving).
package prune
