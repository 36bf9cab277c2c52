package sweep

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Options reads sampler_options or pruner_options. Each that exists is asked for once, with the value that it has where the
// study file is silent; Err then says what was wrong, options that nobody asked for among it.
type Options struct {
	values trials.Params
	known  []string
	errs   []error
}

// ReadOptions starts to read.
func ReadOptions(p trials.Params) *Options { return &Options{values: p} }

// OptionError is what is wrong with one option. It matches ErrInvalid.
type OptionError struct{ Option, Reason string }

// Error names the option and says what is wrong.
func (e *OptionError) Error() string { return "option " + e.Option + ": " + e.Reason }

// Is says that it is an ErrInvalid.
func (e *OptionError) Is(target error) bool { return target == ErrInvalid }

// Float reads a number from low to high.
func (o *Options) Float(name string, fallback, low, high float64) float64 {
	v, given := o.value(name)
	if !given {
		return fallback
	}
	x, ok := trials.Number(v)
	if !ok || math.IsNaN(x) || x < low || x > high {
		o.refuse(name, v, "a number "+between(low, high))
		return fallback
	}
	return x
}

// Int reads a whole number from low to high.
func (o *Options) Int(name string, fallback, low, high int) int {
	v, given := o.value(name)
	if !given {
		return fallback
	}
	x, ok := trials.Number(v)
	if !ok || x != math.Trunc(x) || x < float64(low) || x > float64(high) {
		o.refuse(name, v, "a whole number "+between(float64(low), float64(high)))
		return fallback
	}
	return int(x)
}

// Bool reads true or false.
func (o *Options) Bool(name string, fallback bool) bool {
	v, given := o.value(name)
	if !given {
		return fallback
	}
	b, ok := v.(bool)
	if !ok {
		o.refuse(name, v, "true or false")
		return fallback
	}
	return b
}

// Choice reads one of some words. No value at all (none in a study file) is the word none.
func (o *Options) Choice(name, fallback string, words ...string) string {
	v, given := o.value(name)
	if !given {
		return fallback
	}
	if word := trials.FormatValue(v); slices.Contains(words, word) {
		return word
	}
	o.refuse(name, v, "one of "+strings.Join(words, ", "))
	return fallback
}

// Err is what was wrong with the options, nil if nothing was. It matches ErrInvalid.
func (o *Options) Err() error {
	errs := o.errs
	for _, name := range o.values.Names() {
		switch {
		case slices.Contains(o.known, name):
		case len(o.known) == 0:
			errs = append(errs, &OptionError{name, "there are no options here"})
		default:
			meant := ""
			if n := studies.Nearest(name, o.known); n != "" {
				meant = "did you mean " + n + "? "
			}
			errs = append(errs, &OptionError{name, "there is none of that name; " + meant + "there are " + strings.Join(o.known, ", ")})
		}
	}
	return errors.Join(errs...)
}

func (o *Options) value(name string) (any, bool) {
	o.known = append(o.known, name)
	v, ok := o.values[name]
	return v, ok
}

func (o *Options) refuse(name string, v any, want string) {
	o.errs = append(o.errs, &OptionError{name, trials.FormatValue(v) + " is not " + want})
}

func between(low, high float64) string {
	if high == math.MaxFloat64 || high == float64(math.MaxInt) {
		return "from " + trials.FormatValue(low) + " up"
	}
	return "from " + trials.FormatValue(low) + " to " + trials.FormatValue(high)
}
