// Package gpu carries out a network on a CUDA device: it arranges parameters and the buffers of a pass in device memory and
// turns every step of the differentiated graph into launches of the kernels of trainer/native/cuda/kernel. A pass is a list
// of launches without a decision of the host in it, so that it can be captured once and replayed.
//
// Activations are NHWC, in lanes as the planner stores them: blocks of 16, padding lanes zero. Nothing has a halo: networks
// of several image sizes may use one arena in turn. Parameters, gradients and statistics also have a mirror in host memory,
// in the device's layout, which Upload and Download bring over.
//
// It knows descriptions and kernels, neither the CPU's device nor what a model or a run is. Start with [New], then conv.go.
package gpu
