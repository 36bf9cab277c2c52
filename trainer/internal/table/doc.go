// Package table follows a file of comma-separated values that a trainer appends to, a row per epoch:
// results.csv of the official YOLOv9 and of Ultralytics, and others of that kind.
//
// It is forgiving where such files are known to be odd: cells padded with blanks, a last line that is half
// written, an epoch that occurs again after a trainer went on from a checkpoint, a header that occurs again,
// a file that was replaced or begun anew. It knows nothing of metrics, trials and trainers: epochs are numbered
// as in the file, columns are named as in its header. Start with Follow.
package table
