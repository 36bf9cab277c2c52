// Package reports is what results mean: a Snapshot of a study read from the
// store alone, and the artifacts made from it.
//
// It imports trials and studies, never sweep or trainer. Start with Load.
// reports/tables, reports/charts and reports/html make the artifacts.
package reports
