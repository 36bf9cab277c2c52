// Package shipped holds the studies that come with the binary, each a folder with a study file for each trainer
// that can answer its question (study.yaml: native, yolov9.yaml: the official YOLOv9 code) and README.md (the
// question, the published claim if there is one, the factors, what it costs, how to read the answer). Start with Open.
//
// A new study is a new folder here; nothing else has to be told. If it tests a published claim, the claim
// names it (studies/claims).
package shipped
