// Package kernels is the arithmetic of the native trainer on the CPU: fused float32 kernels in C over blocked buffers.
//
// A View is a window of channel blocks in a buffer of C memory (layout: top of kernels.h). A Conv is one convolution
// layer bound to its views and parameters: 3x3 or 1x1 with batch normalisation and SiLU in one pass each way, or a
// plain convolution with bias. Around it are copies, sums, upsampling, pooling, the optimiser's vector loops and the
// way in (PackImages) and out (Unpack, Pack) of the blocked layout.
//
// One C source is compiled for AVX-512, for AVX2 with FMA, and for plain vectors of four floats; the best set that the
// processor has is chosen once (ISA; the environment variable MAPSWEEP_ISA names another). A kernel runs on the calling
// thread, or on those of its view's Team, and sums in a fixed order: on one instruction set the same input gives the same
// bits, on any processor that has it and for any number of threads.
//
// The package must not know what a model, a loss or a trial is. It keeps no state but the choice of the set.
//
// Start reading at View and ConvSpec, then kernels.h, conv.h (one image) and batch.h (the batch, and threads).
package kernels
