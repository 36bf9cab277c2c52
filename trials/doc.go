// Package trials is the vocabulary of what happened: studies, trials, search
// spaces, measurements, artifacts and the Store contract that keeps them.
//
// It imports the standard library only and knows nothing of samplers, trainers,
// files or SQL. Start with Trial (trial.go), Param (space.go) and Store
// (store.go). Implementations live in trials/sqlite and trials/memory and pass
// the conformance suite in trials/storetest.
//
// Conventions: metrics are fractions 0..1 under the names of docs/ARCHITECTURE.md
// (mAP50-95, mAP50, loss/box ...), epochs count from 1, times are UTC, a missing
// value is absent and never zero.
package trials
