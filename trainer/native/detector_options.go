package native

import (
	"errors"
	"fmt"
)

// DetectorOptions is what a detector's file may leave open. A checkpoint of this trainer says model and classes itself.
type DetectorOptions struct {
	Size    int      // pixels a side of the images; 0: that of training
	Model   string   // of a file of weights: a built-in model, or the path of a model file; "": as it says, or as its tensors do
	Classes []string // of a file of weights: names in its order; nil: as it says, or else their numbers

	// GPU says which GPU to compute on, before anything is taken there, given the bytes that will be; nil: the CPU.
	GPU func(bytes int64) (GPU, error)
}

// The options that an [OptionError] is about.
const (
	OptionSize    = "size"
	OptionModel   = "model"
	OptionClasses = "classes"
)

// OptionError says that a file and one of its DetectorOptions do not go together, or that the file needs the option.
type OptionError struct {
	Option string
	Err    error
}

func (e *OptionError) Error() string { return e.Err.Error() }

func (e *OptionError) Unwrap() error { return e.Err }

// optionError is an error about an option.
func optionError(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// none says that a checkpoint of this trainer's needs neither model nor classes.
func (o DetectorOptions) none() error {
	option := OptionModel
	switch {
	case o.Model != "":
	case o.Classes != nil:
		option = OptionClasses
	default:
		return nil
	}
	return optionError(option, "it names its model and its classes itself, and cannot get others")
}

// ofSize says of a size that the model does not take whose it is.
func (o DetectorOptions) ofSize(err error) error {
	if size := new(SizeError); !errors.As(err, &size) {
		return err
	}
	if o.Size == 0 {
		err = fmt.Errorf("its own %w", err)
	}
	return &OptionError{OptionSize, err}
}
