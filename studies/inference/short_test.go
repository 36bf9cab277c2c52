//go:build !soak

package inference_test

// simulated studies of each kind; with the build tag soak there are 20,000.
const simulated = 500
