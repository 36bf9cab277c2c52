package studies

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// decoder fills the file structs from nodes and collects every fault on the way.
type decoder struct{ faults Faults }

// reader is a form that reads itself.
type reader interface {
	read(d *decoder, n *node, path string)
}

func (d *decoder) fault(n *node, path, message, hint string) {
	if n.refused {
		return
	}
	d.faults = append(d.faults, Fault{Line: n.line, Col: n.col, Set: n.set, Path: path, Text: n.text, Message: message, Hint: hint})
}

// field is a key of the file: what its tag says.
type field struct {
	name     string
	index    int
	required bool
	fallback string // default, "" if there is none
	enum     []string
	minimum  float64 // -Inf if there is none
	maximum  float64 // +Inf if there is none
}

// fields lists the keys of a file struct in order.
func fields(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		f := field{name: t.Field(i).Tag.Get("json"), index: i, minimum: math.Inf(-1), maximum: math.Inf(1)}
		for rule := range strings.SplitSeq(t.Field(i).Tag.Get("jsonschema"), ",") {
			key, val, _ := strings.Cut(rule, "=")
			switch key {
			case "required":
				f.required = true
			case "default":
				f.fallback = val
			case "enum":
				f.enum = append(f.enum, val)
			case "minimum":
				f.minimum, _ = strconv.ParseFloat(val, 64)
			case "maximum":
				f.maximum, _ = strconv.ParseFloat(val, 64)
			}
		}
		fs = append(fs, f)
	}
	return fs
}

// object reads a mapping into a file struct.
func (d *decoder) object(n *node, path string, v reflect.Value) {
	fs := fields(v.Type())
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping, not %s", orFile(path), describe(n)), "keys: "+strings.Join(names(fs), ", "))
		return
	}
	given := map[string]*node{}
	for _, e := range n.entries {
		key := e.key.value.(string)
		at := join(path, key)
		if _, twice := given[key]; twice {
			d.fault(e.key, at, fmt.Sprintf("duplicate key %q", key), "remove one of the two")
			continue
		}
		given[key] = e.val
		if !known(fs, key) {
			d.fault(e.key, at, fmt.Sprintf("unknown key %q in %s", key, orFile(path)), unknownHint(path, key, names(fs)))
		}
	}
	for _, f := range fs {
		val, ok := given[f.name]
		switch {
		case ok:
			d.value(val, join(path, f.name), v.Field(f.index), f)
		case f.required:
			d.faults = append(d.faults, Fault{Set: n.set, Path: join(path, f.name), Hint: f.help(),
				Message: fmt.Sprintf("%s lacks the key %q", orFile(path), f.name)})
		default:
			d.absent(path, v.Field(f.index), f)
		}
	}
}

// absent fills in a default.
func (d *decoder) absent(path string, v reflect.Value, f field) {
	if _, ok := v.Addr().Interface().(reader); ok {
		return // its zero value is its default
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(&node{shape: mapping}, join(path, f.name), v)
	case reflect.String:
		v.SetString(f.fallback)
	case reflect.Int, reflect.Int64:
		n, _ := strconv.ParseInt(f.fallback, 10, 64)
		v.SetInt(n)
	}
}

// value reads one field.
func (d *decoder) value(n *node, path string, v reflect.Value, f field) {
	if r, ok := v.Addr().Interface().(reader); ok {
		r.read(d, n, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if v.Type().Elem().Kind() == reflect.Struct {
			d.object(n, path, p.Elem())
		} else if !d.scalar(n, path, p.Elem(), f) {
			return
		}
		v.Set(p)
	default:
		d.scalar(n, path, v, f)
	}
}

// scalar reads text, a number or a truth value, and holds it against the field's rules.
func (d *decoder) scalar(n *node, path string, v reflect.Value, f field) bool {
	wrong := func(want, hint string) bool {
		d.fault(n, path, fmt.Sprintf("%s must be %s, not %s", path, want, describe(n)), hint)
		return false
	}
	switch v.Kind() {
	case reflect.String:
		s, ok := n.value.(string)
		if !ok {
			hint := ""
			if n.shape == scalar && n.value != nil {
				hint = fmt.Sprintf("in quotes it is text: %q", n.text)
			}
			if _, number := trials.Number(n.value); number && path == "trainer.timeout" {
				hint = fmt.Sprintf("with its unit: %[1]ss, %[1]sm or %[1]sh", n.text)
			}
			return wrong("text", hint)
		}
		if len(f.enum) > 0 && !contains(f.enum, s) {
			d.fault(n, path, fmt.Sprintf("%s cannot be %q", path, s), didYouMean(s, f.enum))
			return false
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := n.value.(bool)
		if !ok {
			return wrong("true or false", "")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		i, ok := n.value.(int64)
		switch {
		case ok:
		case tooLarge(n):
			return wrong("a whole number of at most 18 digits", "")
		default:
			return wrong("a whole number", "")
		}
		if float64(i) < f.minimum {
			return wrong("at least "+trials.FormatValue(f.minimum), "")
		}
		if float64(i) > f.maximum {
			return wrong("at most "+trials.FormatValue(f.maximum), "")
		}
		v.SetInt(i)
	case reflect.Float64:
		x, ok := trials.Number(n.value)
		if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
			return wrong("a number", "")
		}
		if x < f.minimum {
			return wrong("at least "+trials.FormatValue(f.minimum), "")
		}
		v.SetFloat(x)
	}
	return true
}

// longNumber is a whole number that YAML readers take for text.
var longNumber = regexp.MustCompile(`^[-+]?[0-9]{19,}$`)

// tooLarge says that a node is a whole number beyond those that are read.
func tooLarge(n *node) bool {
	switch v := n.value.(type) {
	case string:
		return longNumber.MatchString(v)
	case float64:
		return v == math.Trunc(v) && !math.IsInf(v, 0)
	}
	return false
}

func (f field) help() string {
	if len(f.enum) > 0 {
		return "one of " + strings.Join(f.enum, ", ")
	}
	return ""
}

func names(fs []field) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.name)
	}
	return out
}

func known(fs []field, name string) bool {
	return contains(names(fs), name)
}

func contains(words []string, w string) bool {
	for _, x := range words {
		if x == w {
			return true
		}
	}
	return false
}

// unknownHint says where a misplaced key belongs, or which one was meant.
func unknownHint(path, key string, here []string) string {
	if Nearest(key, here) == "" {
		for _, f := range fields(reflect.TypeFor[fileStudy]()) {
			t := reflect.TypeFor[fileStudy]().Field(f.index).Type
			if t.Kind() == reflect.Pointer {
				t = t.Elem()
			}
			if f.name != path && t.Kind() == reflect.Struct && known(fields(t), key) {
				return fmt.Sprintf("%s belongs under %s:", key, f.name)
			}
		}
		if path == "" {
			return "a knob of the trainer belongs under baseline:; known here: " + strings.Join(here, ", ")
		}
	}
	return didYouMean(key, here)
}

// describe says what a node is, for "must be X, not Y".
func describe(n *node) string {
	if n.shape != scalar {
		return n.shape.String()
	}
	switch v := n.value.(type) {
	case nil:
		return "empty"
	case string:
		if longNumber.MatchString(v) {
			return v
		}
		return fmt.Sprintf("the text %q", v)
	}
	return n.text
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func orFile(path string) string {
	if path == "" {
		return "the study"
	}
	return path
}
