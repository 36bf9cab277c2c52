// Package confirm makes the study that trains the best points of a search again.
//
// The best of many noisy scores is too good (docs/STATISTICS.md, "The winner's curse"), so what a search found is quoted
// from trainings that had no part in choosing it: the points and the baseline, with fresh seeds, the same for all, at
// full length, scored on the split that data_split keeps for this. That study is an ordinary one of design variants,
// linked to the search by trials.AttrConfirms, so that resuming, several processes, effects and reports are those of any study.
//
// Start with Plan (plan.go). It is pure; cmd runs what it says.
package confirm
