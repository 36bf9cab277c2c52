// Package augment makes training samples: mosaics, pasted boxes, mixed pictures, RandAugment, colour changes and
// flips. Every operation draws from its own stream, keyed (seed, epoch, position in the epoch, operation), so
// switching one off leaves the decisions of all others as they were, and a sample can be made again alone.
//
// Copy-paste here pastes boxes, with the background in them: the data sets have no masks. RandAugment is the
// photometric part of it, since geometry would need other boxes. HSV is a linear stand-in, a turn about the grey axis.
//
// It knows nothing of models, batches or epochs beyond their number as a key. Start with New and Augmenter.Sample.
package augment
