package gpu

import "os"

// Wgmma tells whether convolutions in bf16 may go by warpgroups on a GPU of a compute capability, 10 major + minor: on one of 9.0,
// where the environment variable MAPSWEEP_WGMMA=1 asks for it. It is not the default, as these kernels never ran on a GPU.
func Wgmma(capability int) bool { return capability == 90 && os.Getenv("MAPSWEEP_WGMMA") == "1" }

// wgmma is for the device's place; one without a GPU counts what a GPU that has it would take.
func (p Place) wgmma() bool { return Wgmma(90) && (p.GPU == nil || p.GPU.Capability == 90) }
