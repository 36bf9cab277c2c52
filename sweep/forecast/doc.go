// Package forecast says before a study runs what it will cost and what it can see: trials, device-hours, the time of
// the machine, disk, the noise between seeds, and the smallest effects that rise above it.
//
// What it knows comes from finished trials of the same settings in the database (past.go), or else from a trainer that
// measures a few steps (trainer.Prober). What nothing is known of is said to be unknown. It does not print.
//
// Start with Read (past.go), then New (cost.go) and Noises (noise.go).
package forecast
