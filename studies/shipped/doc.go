// Package shipped holds the studies that come with the binary, each a folder with
// study.yaml (what is run) and README.md (the question, the factors, what it costs,
// how to read the answer). Start with Open.
//
// A new study is a new folder here; nothing else has to be told.
package shipped
