// Package onnx writes a trained model as a file of ONNX for use elsewhere: one graph in the form of inference, weights
// folded (package fold), boxes decoded, classes after the sigmoid, suppression left to the user. It writes the protocol
// buffers itself, from the field numbers of onnx.proto (wire.go); it reads nothing and runs nothing.
//
// Legend: N images, any number; C channels; H and W pixels, fixed; A anchor points of all levels in a row, each level by
// rows; K classes; R bins of a box side.
//
// Input "images": float32 [N, 3, H, W], red, green, blue, 0..1. Output "output": float32 [N, 4+K, A]; for each anchor
// point the centre x and y, the width and the height of its box in pixels of the input, and a score from 0 to 1 for each
// class.
//
// Start reading at [New], then network.go and head.go.
package onnx
