// Package goptuna puts goptuna's samplers and pruners behind sweep.Sampler and
// sweep.Pruner: Random, TPE, CMAES and Sobol, and SuccessiveHalving.
//
// goptuna keeps its state in samplers and storages and asks for parameters one by
// one while a trial runs. Here every call is a pure function of the history and the
// random stream: it rebuilds a goptuna.Study over an in-memory storage, asks it once
// and throws it away. All numeric parameters are shown to goptuna as the unit
// interval (sweep/axis), and objectives as losses to be minimised.
//
// That closes these traps of goptuna v0.9.0; the test named after each shows it:
//
//   - ends: random and Sobol never draw the upper end of int and step-int ranges,
//     TPE leaves the grid of step-ints, log-ints and typed choices do not exist. All of it
//     happens in sweep/axis now. (TestEndsReachable)
//   - seeds: RandomSampler draws categories, and TPE its mixture components, from the
//     global math/rand. Categories are cells of a seeded uniform draw here. tpe.Sampler cannot be
//     seeded from outside, so TPE uses goptuna's Parzen estimator, its gamma and its
//     weights, and draws and compares candidates itself. (TestSeedsReproduce)
//   - Parzen order: NewParzenEstimator permutes its observations twice unless they come
//     sorted, so that bandwidths are those of wrong neighbours. It gets them sorted. (TestParzenOrder)
//   - TPE's four wrong formulas (logsumexp, Mahalanobis distance, acceptance) and its
//     endless loop on NaN are not called; drawing is by inverse distribution function.
//   - direction: cmaes.Sampler always minimises. It sees losses. (TestCMAESMaximizes)
//   - categories under CMA-ES panic; they, and parameters with requirements, are drawn
//     at random beside it. (TestCMAESCategories)
//   - NaN is never stored; a trial that reports nothing but NaN is left alone, where
//     successive halving would prune it. (TestNaNIsNoReason)
//   - successive halving judges a rung again at every later step, and counts the judged
//     trial twice in memory. It is asked once per rung, about the other trials. (TestHalvingOncePerRung)
//   - GetLatestStep and TPE lose the value of step 0; epochs count from 1 here.
//   - samplers without locks: none is shared between calls.
//   - panics become errors. (TestPanics)
//
// Start with ask in study.go.
package goptuna
