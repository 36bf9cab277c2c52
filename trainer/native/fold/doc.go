// Package fold turns the tensors of a trained model into the form that inference needs: each convolution with its batch
// normalisation folded into weights and bias, and the two arms of a RepConv melted into one. It is arithmetic over names
// and values, in float64, rounded once; it knows neither graphs nor files.
//
// With z = gamma (conv(x) - mean) / sqrt(var + eps) + beta and s = gamma / sqrt(var + eps), the weights of an output
// channel become s times what they were, and its bias beta - s mean. A 1x1 kernel is the middle of a 3x3 kernel that is
// zero around it, so that the sum of two arms is the convolution with the sum of their kernels and of their biases
// (Ding et al., RepVGG, 2021, section 3.3).
package fold
