// Package tuned runs studies that tune their variants before they compare them.
//
// It composes ordinary studies. The study itself has the trials of the comparison: its variants as they are, and each
// of them as each of its tunings chose it, trained with fresh seeds and scored on the objective's split. A tuning is a
// search of its own in the same database, one for each variant, tuning and data set, with the variant's parameters
// fixed and tune.device_hours of device time; its sampler has the same seed in all variants. So crash, resume, budget,
// pruning and several processes are those of any study.
//
// Start with Runner.Run (run.go). child.go says what a tuning is, choose.go which of its trials is taken.
package tuned
