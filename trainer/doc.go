// Package trainer is the contract of one training run.
//
// A Backend trains a detector once, with the parameters of a Job, and reports
// every epoch. It honours its context and nothing else: the engine prunes, stops
// and times out by cancelling it. It knows nothing of studies, samplers, stores
// or other trials. Backends live in trainer/native (in this process) and
// trainer/command (any program); trainer/trainertest holds the conformance
// suite and a scripted fake. Start with Backend in trainer.go.
package trainer
