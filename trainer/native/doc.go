// Package native trains our own detector in this process, on the CPU.
//
// A Backend loads every data set once and shares it, read-only, between the trials
// that run at the same time; each trial owns its network, its buffers and its random
// streams. Runs are a function of (configuration, data, seed, instruction set, or the kind
// of GPU): the same four give the same bits, however many trials run beside them and however often
// a run was stopped and resumed.
//
// It knows nothing of studies, samplers, pruners or stores. Start with New and Train
// (backend.go); knobs.go lists what a study can set, run.go is the loop, engine.go what
// carries it out and device.go on what, score.go the validation, checkpoint.go the file format. Below lie the parts: model (the network),
// loss and assign, optim, and the kernels that they run on.
//
// Sizes: a box counts as small, medium or large by COCO's limits of 32^2 and 96^2
// pixels, taken in pixels of the network's input, not of the source picture.
package native
