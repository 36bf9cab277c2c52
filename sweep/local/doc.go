// Package local runs trials on one machine: who a worker is, whether another
// worker still lives, and leases of cores and devices.
//
// It knows nothing of studies, stores or samplers. Start with Pool; Self and
// Probe are what crash recovery rests on.
package local
