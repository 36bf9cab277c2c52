// Package audit finds out which knobs a trainer reads, before a study pays for them.
//
// For each factor it has the trainer run a few optimiser steps (trainer.Auditor) at the baseline and at each
// level, all else equal, and compares what the steps did: the batch, the losses, the gradient, the rates, the
// weights. Levels that do the same are the same. What a trainer says of itself without running
// (trainer.Reviewer) joins in; where the two disagree the steps win and both are told.
//
// It knows no particular trainer, stores nothing and prints nothing. Start with Run (run.go); judge.go has the
// verdicts, compare.go the comparison of traces, subject.go which levels are tried, and refuse.go what follows for a study.
package audit
