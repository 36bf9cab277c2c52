// Package courses says how far the variants of a study until settled are, and
// which trials have to run next.
//
// It is a pure function of the study file and the trials that are stored: any
// process, at any time, comes to the same verdicts and the same next trials, so
// that a killed run goes on where it was, and a report says what the engine did.
// The statistics are studies/inference's; stores, trainers and tables are not
// known here. Start with Read.
package courses
