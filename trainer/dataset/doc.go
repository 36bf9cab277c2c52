// Package dataset reads object-detection data: YOLO directories, Pascal VOC, COCO JSON, and the built-in sets
// that are cut from embedded pictures. Everything is decoded once, letterboxed to one square size, and kept in RAM.
//
// Broken files and unusable labels do not stop a load: they are left out and named in Dataset.Notes. A data set
// that cannot serve at all is an error wrapping trainer.ErrNoData that says what, where and what to do.
//
// It knows nothing of models, epochs or batches. Children: augment (what a training sample looks like), stream
// (counter-based random numbers), shipped (embedded material). Start with Load.
package dataset
