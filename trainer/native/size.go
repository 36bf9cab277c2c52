package native

import "fmt"

// MaxSize is the largest side of images, in pixels: that of the official code's imgsz here.
const MaxSize = 8192

// SizeError says that a model cannot take images of a size.
type SizeError struct {
	Model    string
	Size     int // pixels a side
	Multiple int // what sizes must be multiples of: the largest stride of the model
}

// checkSize says whether a model takes images of so many pixels a side, with a *SizeError.
func checkSize(model string, size, multiple int) error {
	if size < multiple || size > MaxSize || size%multiple != 0 {
		return &SizeError{Model: model, Size: size, Multiple: multiple}
	}
	return nil
}

// Nearest is the size nearest to it that the model takes; of two the larger one.
func (e *SizeError) Nearest() int {
	n := (max(0, min(e.Size, MaxSize)) + e.Multiple/2) / e.Multiple
	return max(1, min(n, MaxSize/e.Multiple)) * e.Multiple
}

// Takes says what sizes the model takes.
func (e *SizeError) Takes() string {
	most := ""
	if e.Size > MaxSize {
		most = fmt.Sprintf(" up to %d", MaxSize)
	}
	return fmt.Sprintf("model %s takes multiples of %d%s", e.Model, e.Multiple, most)
}

// Error says what the model takes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("image size is %d: %s, the nearest is %d", e.Size, e.Takes(), e.Nearest())
}
