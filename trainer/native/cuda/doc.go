// Package cuda is the door to NVIDIA GPUs: it links gorgonia.org/cu into the binary on plain `go build`, without a CUDA
// toolkit, and lists the devices, or says in words why there is none. The binary starts on any machine.
//
// cu needs three things that a machine without CUDA lacks, and this package owns them:
//
//   - the header cuda.h at build time: include/cuda.h, our own declarations, copied beside vendored cu by .ci/vendor.sh;
//   - a library for cu's -lcuda at link time: linkstub/libcuda.a, an empty archive;
//   - the driver at run time: forward.c defines every driver function that cu calls and forwards it to libcuda.so.1,
//     which it opens when the process starts. Where that fails, cuInit still succeeds (cu would end the process) and
//     there are no devices.
//
// Without cgo, or on systems other than Linux on amd64 and arm64, Devices says so and nothing of cu is linked.
//
// Trials of a process share a GPU: Acquire opens it once, and Reserve deals out its memory.
//
// The package must not know what a model is, and of a trial nothing but the memory it needs. Start reading at Devices, then
// forward.c, or at GPU (gpu.go) for what runs there.
package cuda
