// Package diagnosis says what the stored curves and telemetry of a trial tell
// about its training: the signals of the tuning article and a few that
// practitioners look for, each with the numbers that it was judged by, its
// threshold, where that comes from, and the levers that exist in the trial's
// backend.
//
// It is pure: it is handed what the database holds and returns values. It knows
// nothing of stores, trainers or tables; the names of a backend's knobs stand in
// levers.go, and a test of the binary holds them against the backends. Start with
// Runs (what a rule may see), Diagnose (one trial) and Summarize (a study).
//
// One rule stands in one file, named after it, and all of them in rules.go. A rule
// that cannot be judged says so with the reason; it never counts as healthy.
// Scores and shares are fractions 0..1, as they are stored, and become points or
// percent in Number.String only.
package diagnosis
