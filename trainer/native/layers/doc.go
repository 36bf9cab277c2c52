// Package layers describes the operations a detector is made of, one family a file: convolution with batch
// normalisation and SiLU or with bias, the convolution of two arms, concatenation, split, sum, sum of several extents,
// upsampling, mean and max pooling, and the loss at the heads. The identity is no operation: the same tensor is read
// again. Each file holds the description (shapes, parameters, where gradients go) and the function that adds it
// to a [graph.Builder]; the kernels that carry them out are bound by devices, such as the package cpu below.
//
// It must not know any device, any kind of network, or how the loss is computed: the loss is a function that is given.
//
// Functions take the builder first and return the tensor written. A mistake is kept by the builder, which reports the
// first one when the network is differentiated.
package layers
