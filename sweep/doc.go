// Package sweep is the engine: it asks for points, claims trials, runs them,
// records what they report, prunes, and resumes.
//
// It sees stores through trials.Store, trainers through trainer.Backend and
// samplers through Sampler, and never prints. Fixed designs and searches take
// one path: Enqueue, then Claim. Start with Engine.Run. sweep/goptuna adapts
// goptuna's samplers and pruners, sweep/local runs workers on one machine.
package sweep
