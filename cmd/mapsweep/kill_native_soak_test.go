//go:build soak

package main

// killedRounds is how many studies TestKilledNative kills twice each.
const killedRounds = 5
