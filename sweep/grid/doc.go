// Package grid tries every combination of levels once, in an order that the study's seed shuffles, and says so when there
// is none left (sweep.ErrExhausted).
//
// Start with Suggest in sampler.go; grid.go numbers the combinations.
package grid
