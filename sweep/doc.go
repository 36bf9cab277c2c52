// Package sweep is the engine: it asks for points, claims trials, runs them,
// records what they report, prunes, and resumes.
//
// It sees stores through trials.Store, trainers through trainer.Backend and
// samplers through Sampler, and never prints. Fixed designs and searches take
// one path: Enqueue, then Claim; more workers or processes add no code path.
// All that a later process needs is in the store: who runs a trial (attempts,
// heartbeats), what was asked for (keys), what was given up (classes), so that
// killing a process at any point costs no more than the epochs since the last checkpoint.
//
// Start with Engine.Run (engine.go). It opens the study (study.go), puts trials
// of vanished workers back (recover.go), lays out the points (plan.go), and works (work.go,
// trial.go) until none is left; outcome.go judges how a trial ended, retry.go whether
// it starts again and whether the study goes on at all, promote.go
// which pruned trials go on as new ones and resume.go from where, use.go adds what the machine was used for, keep.go clears
// old checkpoints, summary.go accounts for everything. sweep/goptuna adapts goptuna's samplers
// and pruners, sweep/local names workers and leases cores and devices, sweep/sweeptest is
// the conformance suite for new samplers and pruners.
package sweep
