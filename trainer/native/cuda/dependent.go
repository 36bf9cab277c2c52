package cuda

import "os"

// firstDependent is the compute capability, 10 major + minor, of the first GPUs whose kernels can wait for the one before.
const firstDependent = 90

// Dependent tells whether kernels are started behind each other so that the blocks of one may be placed while the last ones of
// the kernel before still run ("programmatic dependent launch"): on a GPU of compute capability 9.0 (90) or later, by a driver of
// 12.3 or later, where the environment variable MAPSWEEP_PDL=1 asks for it. It is not the default, as it never ran on a GPU.
//
// Such a kernel waits, before it touches memory, until the one before has ended (wait_for_earlier in kernel/port.cuh). It is one
// whose machine code was made for 9.0 or later, and which follows directly on another such in one call of Module.Run: not on a
// copy, an event or another library's work. All others are started plainly, when all before them is done.
func Dependent(capability int) bool {
	return capability >= firstDependent && os.Getenv("MAPSWEEP_PDL") == "1" && canDepend()
}

// chain is a run of launches that follow each other in a stream with nothing in between.
type chain struct {
	asked  bool
	behind bool // the last launch is a kernel that another may wait for
}

// next tells whether the next launch, of kernel f, or nil for a call, may begin before the one ahead has ended.
func (c *chain) next(f *function) bool {
	waits := c.asked && f != nil && f.waits
	dependent := c.behind && waits
	c.behind = waits
	return dependent
}
