package native

import "fmt"

// SizeError says that a model cannot take images of a size.
type SizeError struct {
	Model    string
	Size     int // pixels a side
	Multiple int // what sizes must be multiples of: the largest stride of the model
}

// Nearest is the size nearest to it that the model takes; of two the larger one.
func (e *SizeError) Nearest() int {
	return max(1, (e.Size+e.Multiple/2)/e.Multiple) * e.Multiple
}

// Error says what the model takes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("image size is %d: model %s takes multiples of %d, the nearest is %d", e.Size, e.Model, e.Multiple, e.Nearest())
}
