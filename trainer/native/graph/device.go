package graph

// Pass is one run through a program: what the kernels must know, and what they report.
type Pass struct {
	Train  bool    // batch statistics and their running means; false: running statistics as they are
	Images int     // filled images of the batch, in front
	Loss   float64 // set by the loss
}

// Kernel does the work of one step on one device.
type Kernel interface{ Run(*Pass) error }

// KernelFunc is a function as a [Kernel].
type KernelFunc func(*Pass) error

// Run calls f.
func (f KernelFunc) Run(p *Pass) error { return f(p) }

// Program is a sequence of steps that is ready to run.
type Program interface{ Run(*Pass) error }

// Device turns descriptions into work. It owns all buffers; nothing it made may be used after Close.
type Device interface {
	// Bind returns the kernel of a step; nil if the step has nothing to do there.
	Bind(Step) (Kernel, error)
	// Compile binds the steps and joins them.
	Compile([]Step) (Program, error)
	// Close releases everything.
	Close() error
}
