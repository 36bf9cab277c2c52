//go:build soak

package inference_test

// simulated studies of each kind: go test -tags soak -run Simulated -v -timeout 60m ./studies/inference
const simulated = 20_000

// deviations are the standard errors that a simulated share may be off.
const deviations = 3.0
