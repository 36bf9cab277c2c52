//go:build !soak

package inference_test

// simulated studies of each kind; with the build tag soak there are 20,000.
const simulated = 250

// deviations are the standard errors that a simulated share may be off. Many shares of few studies are looked at.
const deviations = 4.0
