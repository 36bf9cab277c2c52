// Package images says how sure a score or a difference of scores is over two things at once: the seeds of the
// trainings, and the pictures that they were scored on.
//
// A t interval over seeds holds the validation pictures fixed: it speaks of other trainings, and of these pictures
// alone. Here both are drawn with replacement, the same seeds and the same pictures for both arms, and average
// precision is computed anew from the matches that each trial kept (evaluate.Matches). Average precision is not a
// mean over pictures, so nothing is averaged over them.
//
// It knows nothing of studies and stores. Start with Analyse.
package images
