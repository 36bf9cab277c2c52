package cuda

import (
	"errors"
	"fmt"
)

// ErrMemory is what errors wrap where the device's memory does not suffice.
var ErrMemory = errors.New("out of GPU memory")

// ErrLost is what errors wrap after which the device's context is unusable: a kernel wrote where it must not, the hardware
// failed, or the driver was reset. What lies in device memory is lost, for every trial of the process.
var ErrLost = errors.New("the GPU's context is lost")

// ErrStuck is what errors wrap where a GPU whose context was lost does not work again after its reset: NVIDIA says that the process
// must end. A new process can use it.
var ErrStuck = errors.New("the GPU does not work again in this process, whose context was lost; start anew")

// explain puts a result of the driver into the words of this package; what says what was tried.
func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errMemory):
		return fmt.Errorf("%s: %w", what, ErrMemory)
	}
	for _, f := range fatal {
		if errors.Is(err, f) {
			return fmt.Errorf("%s: %w (%v)", what, ErrLost, err)
		}
	}
	return fmt.Errorf("%s: CUDA error %w", what, err)
}
