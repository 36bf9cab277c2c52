// Package cpu carries out the layers on the processor: it gives every buffer its memory, binds each step of a graph to
// one fused kernel, and runs the kernels in their static order, each on all threads of the device ([Device.UseThreads]), the
// calling goroutine's among them. It knows the blocked storage of the kernels, and nothing of networks or training.
//
// Buffers of a pass that are never needed at the same time share memory: lifetime.go says when each is needed, place.go
// where it lies. A kernel that reads something it did not read before needs a word there.
//
// All memory lies outside of Go's heap and lives until [Device.Close]; no finalizer is involved. A running program
// allocates nothing. Programs of different devices may run at the same time; those of one device may not.
//
// Start reading at [New], then [Device.Bind].
package cpu
