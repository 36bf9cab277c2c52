// Package spec holds the detector family as data: model files, what they mean, and what they cost.
//
// A model file is short YAML: a list of layers, each a module with its arguments and the layers that it reads, and the
// layers that the head's levels are made of. The files of the family are embedded ([Names], [Open]); a user can write
// one. [Parse] decodes strictly and finds every fault at once, with line and column; [File.Resolve] fills in channels
// and strides for a number of classes; [Build] walks a resolved [Model] and calls an [Ops] for every operation, so that
// counting here, and graphs elsewhere, are made from one description. [Model.Cost] counts parameters and operations.
//
// It must not know graphs, kernels or weights.
//
// Legend: C channels, H and W pixels; a level's stride is the pixels of the image a cell. Parameter names are those of
// the state dicts of the official YOLOv9, apart from gelan-n, which keeps its own.
//
// Start reading at a file in models, then [File], [Model] and [Build].
package spec
