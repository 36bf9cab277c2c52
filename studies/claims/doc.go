// Package claims holds published claims as contrasts that a study can test: which settings are compared, by
// which metric, in which scene, and what effect was promised. Those of the tuning article for YOLOv9 come with
// the binary (tuning-article.yaml).
//
// A claim is fixed before the first trial: Hash is over everything that decides a check, so that nobody,
// neither we nor the user, can move the goal afterwards.
//
// It knows nothing of stores, trainers or results. What the official code does about a claim is recorded as
// words and settings, and the tests hold them against the trainers. Start with All, then Claim.Pairs.
package claims
