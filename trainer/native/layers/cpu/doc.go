// Package cpu carries out the layers on the processor: it gives every buffer its memory, binds each step of a graph to
// one fused kernel, and runs the kernels in their static order on the calling goroutine. It knows the blocked storage
// of the kernels, and nothing of networks or training.
//
// All memory lies outside of Go's heap and lives until [Device.Close]; no finalizer is involved. A running program
// allocates nothing. Programs of different devices may run at the same time; those of one device may not.
//
// Start reading at [New], then [Device.Bind].
package cpu
