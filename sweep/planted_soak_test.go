//go:build soak

package sweep_test

// plantedByEngine is how many studies of each kind run through the engine: as many as are simulated, which takes minutes.
const plantedByEngine = 2000
