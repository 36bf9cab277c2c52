// Package local runs trials on one machine: who a worker is, whether another
// worker still lives, and leases of cores and GPUs.
//
// It knows nothing of studies, stores or samplers. Start with Pool (pool.go): Acquire leases
// what a trial may use. devices.go says which GPUs a study may have, gpus.go who gets which of them and
// when, lock.go keeps several mapsweep processes off each other's devices. preset.go has settings that
// fit a card. Self and Probe (worker.go) are what crash recovery rests on.
package local
