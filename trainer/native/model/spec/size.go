package spec

import "fmt"

// SizeError says that a model cannot take images of a size.
type SizeError struct {
	Width, Height int // that was asked for
	Multiple      int // what both must be a positive multiple of
}

// Error names the sizes that are possible.
func (e *SizeError) Error() string {
	return fmt.Sprintf("input of %d x %d pixels: positive multiples of %d are needed", e.Width, e.Height, e.Multiple)
}
