// Package goptuna puts goptuna's samplers and pruners behind sweep.Sampler and
// sweep.Pruner: Random, TPE, CMAES and Sobol, and SuccessiveHalving.
//
// goptuna keeps its state in samplers and storages and asks for parameters one by
// one while a trial runs. Here every call is a pure function of the history and the
// random stream: it makes a goptuna.Study, asks it once
// and throws it away; CMA-ES keeps the strategy that it was told from the log of finished trials. All numeric parameters are shown to goptuna as the unit
// interval (sweep/axis), and objectives as losses to be minimised.
//
// The other way, RelativeSampler and Pruner put ours behind goptuna's interfaces, and a Driver asks and tells
// a goptuna.Study in place of its Optimize.
//
// That closes these traps of goptuna v0.9.0; the test named after each shows it, and fails when goptuna mends it:
//
//   - ends: random and Sobol never draw the upper end of int and step-int ranges,
//     TPE leaves the grid of step-ints, log-ints and typed choices do not exist. All of it
//     happens in sweep/axis now. (TestEndsReachable, TestSobolEnds, TestTPELeavesTheGrid)
//   - seeds: RandomSampler draws categories, and TPE its mixture components, from the
//     global math/rand. Categories are cells of a seeded uniform draw here. tpe.Sampler cannot be
//     seeded from outside, so TPE uses goptuna's Parzen estimator, its gamma and its
//     weights, and draws and compares candidates itself. (TestSeedsReproduce)
//   - Parzen order: NewParzenEstimator permutes its observations twice unless they come
//     sorted, so that bandwidths are those of wrong neighbours. It gets them sorted. (TestParzenOrder)
//   - TPE's wrong formulas (logsumexp, Mahalanobis distance, acceptance), its greedy choice of categories and its
//     endless loop on NaN are not called; drawing is by inverse distribution function. (TestTPEFormulas,
//     TestTPECategories, TestTPENaNParameter)
//   - direction: cmaes.Sampler always minimises. It sees losses. (TestCMAESMaximizes)
//   - categories under CMA-ES panic; they, and parameters with requirements, are drawn
//     at random beside it. (TestCMAESCategories)
//   - restarts of CMA-ES share the names of their generations, so that a new strategy is told old trials, and
//     an initial mean comes back at every restart. Its optimizer is driven here, and restarted. (TestRestartsHaveNames)
//   - looking for a common search space deletes parameters of trial 0, whose maps are shared. goptuna's code gets
//     copies. (TestIntersectionSpoilsTrialZero)
//   - NaN becomes the best value. It fails its trial; one that reports nothing but NaN is left alone, where
//     successive halving would prune it. (TestNaNIsNoValue, TestNaNIsNoReason)
//   - a panic or a failing relative sampler leaves its trial running, an error around ErrTrialPruned
//     fails it, a pruned trial's value may be NaN. The Driver ends trials right. (TestNothingStaysRunning, TestWrappedPruned)
//   - enqueued values that lie outside, or at the end of a step-int, are dropped without a word. They are errors, and
//     used. (TestEnqueuedValues)
//   - relative samplers are asked for parameters of one value, too. (TestSingleValues)
//   - a storage that cannot make a trial is asked again for ever. (TestFullStorage)
//   - successive halving judges a rung again at every later step, and counts the judged
//     trial twice in memory. It is asked once per rung, about the other trials. (TestHalvingOncePerRung)
//   - GetLatestStep and TPE lose the value of step 0 and take negative steps for it; epochs count from 1 here,
//     negative ones are refused, and of a pruned trial the last value that is a number counts.
//     (TestNegativeSteps, TestTPEForgetsStepZero, TestTPENaNSteps)
//   - samplers without locks: here they have one, or no state. (TestNoLocks)
//   - panics become errors. (TestPanics)
//
// What its SQL storages (rdb, rdb.v2, with gorm) do wrong cannot be met here: they are not part of the program. That is the
// racy queue of enqueued trials, states that are read and then written in two steps, numbers that are counted, deletion that relies
// on foreign keys, summaries of studies with waiting trials, a direction that is silently minimise, steps that are written twice
// without a word. (TestNoSQLStorage)
//
// Start with ask in study.go.
package goptuna
