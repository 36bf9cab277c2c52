// Package tpe is the tree-structured Parzen estimator: it models the best trials and the others by a density each and
// proposes the point that is likeliest among the best compared to the others (Bergstra et al. 2011; Falkner et al. 2018, BOHB;
// Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm components and their roles").
//
// All parameters are modelled jointly, those that are not active at an observation as unknown there. Trials under way
// count as bad ones (constant liar), pruned ones stand behind complete ones by how far they came, then those that
// break constraints by how much; failures that speak against their point are bad, other failures are not looked at. With
// several objectives the best are chosen by fronts and hypervolume (MOTPE).
//
// A suggestion is a pure function of history and random stream. What is kept between calls are columns of
// observations, extended once per finished trial, so that the cost of a suggestion does not grow with the history:
// at most 25 kernels for the best and about 500 for the others, the newest and evenly spaced older ones.
//
// It knows no store, engine or backend. Start with Suggest in tpe.go; columns.go keeps observations, split.go separates
// the best, mixture.go and density.go are the densities, propose.go chooses.
package tpe
