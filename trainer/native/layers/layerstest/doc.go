// Package layerstest checks devices: a plain float64 reference of every layer's forward pass, gradients by central
// differences of it, a smooth loss, and random networks. It knows descriptions only, so any device can be held to it.
//
// Start reading at [Reference] and [CheckGradients].
package layerstest
