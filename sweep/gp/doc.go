// Package gp searches with a Gaussian process and expected improvement: the sampler for small budgets, of some
// ten to two hundred trials, where every trial is dear and a second of thinking is not.
//
// Every call fits the process anew to what the history says (only the last fit is remembered, for the same log), so
// that a suggestion is a function of history and random stream alone.
//
// Start with Suggest in sampler.go; data.go says what a trial tells, kernel.go and fit.go hold the model, acquire.go
// the choice of a point.
package gp
