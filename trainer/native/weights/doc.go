// Package weights reads and writes files of named tensors: safetensors both ways, and PyTorch's checkpoints (.pt) one
// way, without Python and without running anything that such a file asks for. It knows no network: which tensor goes
// where is the caller's business, by name.
//
// Start reading at [Read] and [Set].
package weights
