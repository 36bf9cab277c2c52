// Command mapsweep runs hyper-parameter sweeps and ablation studies of
// object-detection training and reports what they show.
//
// It is the only package that sees every room: wire.go lists the stores,
// backends, samplers and pruners that exist, each cmd_<verb>.go is one command.
// Results go to standard output, everything else to standard error.
package main
