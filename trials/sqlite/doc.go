// Package sqlite is a trials.Store in one SQLite file that Optuna can open,
// continue and chart.
//
// Studies and trials live in Optuna's tables (trials/internal/optuna); what
// Optuna has no place for lives in tables of our own whose names begin with
// mapsweep_ (schema.sql): study files and provenance, every epoch's metrics,
// attempts, artifacts, suggestion keys. Trials that Optuna adds read back as
// trials.Trial: parameters, values, states, and intermediate values as
// measurements of the objective at epoch = step.
//
// Finished trials are logged by triggers on Optuna's table trials (triggers.sql), whoever
// finishes them; cache.go keeps what was read of the log and reads what is new.
//
// Several processes may use one file at once. Every write is one BEGIN IMMEDIATE
// transaction on one connection; reads use another one and see one
// snapshot each. The writer remembers what it wrote (memo.go) for as long as nobody else commits. The journal is a write-ahead log: a
// process that dies, even by kill -9, loses nothing that a call has returned. A power cut loses no finished trial with
// durability full, which flushes the disk at the end of each, and perhaps the last moments with normal; it leaves the file whole.
//
// The package knows nothing of samplers, trainers or reports. Start with Open.
package sqlite
