//go:build !soak

package sweep_test

// plantedByEngine is how many studies of each kind run through the engine.
const plantedByEngine = 20
