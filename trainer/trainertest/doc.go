// Package trainertest tests trainers: Test is the conformance suite that every
// trainer.Backend passes, and Fake is a scripted backend for tests of everything
// that drives backends.
//
// It knows nothing of stores and of the engine. Start with Test for a new backend,
// with Fake for a test of the engine.
package trainertest
