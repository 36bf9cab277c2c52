// Package cudnn lends convolutions of NVIDIA's cuDNN 9 where a machine has it, as a second provider beside our own kernels. It is
// never needed: the library is opened at run time, its functions are declared here (library.h), and a build needs neither its
// headers nor the library.
//
// Open finds libcudnn.so.9 as the system's loader does, or where the environment variable MAPSWEEP_CUDNN says, and only after
// the driver has found a GPU: without one the library ends the process that asks for its version. A Handle works on one stream; a
// Plan is one convolution's shapes; Algorithms lists what cuDNN would use, without those that sum in an order of their own;
// Fastest times them beside other ways to do the same.
//
// What may differ from our kernels: the order of sums, and that gradients of weights come in the activations' precision (bf16 rounds
// each element of the gradient once, and cudnnConvolutionBackwardFilter knows no other combination with bf16). A choice by time may fall otherwise in another run, so that whoever promises equal bits must
// keep what was chosen.
//
// The package has run over a stand-in for the library only, never on a GPU. It must not know what a model is. Start at Open.
package cudnn
