// Package reports is what results mean: a Snapshot of a study read from the
// store alone, and the words and numbers that every report shares.
//
// It reads trials.Reader and the study's resolved file, and asks
// studies/inference what may be concluded. It imports trials and studies, never
// sweep or trainer, writes no files and never prints. Start with Load, then
// Snapshot (snapshot.go). reports/tables, reports/charts and reports/html make
// the artifacts; this package does not import them.
//
// Scores are kept in the metric's own unit (fractions 0..1 for mAP) and become
// points (percent) only on the way out, through Metric. A missing number is NaN
// in memory and empty on paper, never zero.
package reports
