// Package optim turns gradients into new weights: learning-rate schedules with
// warm-up, clipping by the global norm, SGD with Nesterov momentum over parameter
// groups, AdamW, and the exponential moving average that is scored. It works on flat arenas
// and knows nothing of networks, losses or epochs. Schedules are pure functions of the
// step (schedule.go); start with SGD (sgd.go).
package optim
