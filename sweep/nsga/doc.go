// Package nsga searches for the Pareto front of two or three objectives (accuracy against latency, parameters
// or training time) with NSGA-II, the genetic algorithm of Deb, Pratap, Agarwal and Meyarivan (2002).
//
// Generations are not kept anywhere: they are read from the log of finished trials, each of which says which one it was drawn
// for, and the next one starts as soon as a population of them has ended, so that several workers never wait for
// each other.
//
// Start with Suggest in sampler.go; ranks.go sorts a population, breed.go makes a point from two others.
package nsga
