package studies

import (
	"reflect"
	"slices"
	"strings"
)

// Options say how a study file is read.
type Options struct {
	File string   // name for messages, e.g. "study.yaml" or "quickstart (shipped)"
	Set  []string // overrides "dotted.path=value" in order, values in YAML
	Made int      // so many of the first ones were made by the program: faults in them name the file, not --set
}

// Parse reads a study file strictly. It finds every fault at once: unknown and
// duplicate keys, wrong types, missing keys, values that contradict each other.
// The error is a Faults, in the order of the file. Knobs are not looked at: that
// is Validate, whose faults Locate brings to their lines.
func Parse(src []byte, opts Options) (Spec, error) {
	root, faults := overlaid(src, opts.Set)
	if root == nil {
		return Spec{}, place(faults, nil, src, opts)
	}
	var file fileStudy
	d := decoder{faults: faults}
	d.object(root, "", reflect.ValueOf(&file).Elem())
	spec := file.spec()
	faults = d.faults
	for _, f := range checkSpec(spec) {
		if !overlaps(f.Path, d.faults) {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return Spec{}, place(faults, root, src, opts)
	}
	return spec, nil
}

// Locate brings the faults of an error (of Validate, say) to their lines in the
// file they came from. src and opts are those that were given to Parse.
func Locate(err error, src []byte, opts Options) error {
	fs, ok := AsFaults(err)
	if !ok {
		return err
	}
	root, _ := overlaid(src, opts.Set)
	return place(append(Faults(nil), fs...), root, src, opts)
}

// overlaid is the file's tree with the overrides laid over it; nil if it is no YAML.
func overlaid(src []byte, sets []string) (*node, Faults) {
	root, faults := parseTree(src)
	if root == nil {
		if len(faults) == 0 {
			faults = Faults{{Message: "the study file is empty", Hint: "mapsweep init writes one to start from"}}
		}
		return nil, faults
	}
	for _, set := range sets {
		if f := override(root, set); f != nil {
			faults = append(faults, *f)
		}
	}
	return root, faults
}

// overlaps says that another fault was found at path, above it or below it, so that this one may follow from it.
func overlaps(path string, faults Faults) bool {
	for _, f := range faults {
		if f.Path != "" && (within(path, f.Path) || within(f.Path, path)) {
			return true
		}
	}
	return false
}

func within(path, top string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// place fills in file, line, text and source line of faults that have only a path.
func place(faults Faults, root *node, src []byte, opts Options) error {
	lines := strings.Split(string(src), "\n")
	where := map[string]*node{}
	if root != nil {
		survey(root, "", where)
	}
	for i := range faults {
		f := &faults[i]
		f.File = opts.File
		if f.Line == 0 && f.Set == "" && f.Path != "" {
			if n := nearestNode(f.Path, where); n != nil {
				f.Line, f.Col, f.Set = n.line, n.col, n.set
				if f.Text == "" {
					f.Text = n.text
				}
			}
		}
		if slices.Contains(opts.Set[:opts.Made], f.Set) && !slices.Contains(opts.Set[opts.Made:], f.Set) {
			f.Set = ""
		}
		if f.Set == "" && f.Line > 0 && f.Line <= len(lines) {
			f.Source = strings.TrimRight(lines[f.Line-1], "\r")
		}
	}
	return faults.err()
}

// survey lists the nodes by path. The levels of a factor in short form are found under "levels" too.
func survey(n *node, path string, where map[string]*node) {
	where[path] = n
	for _, e := range n.entries {
		key, _ := e.key.value.(string)
		at := join(path, key)
		survey(e.val, at, where)
		if e.val.shape == mapping && e.val.set == "" {
			where[at] = e.key // a fault of the whole mapping is shown at its key
		}
		if path == "factors" && e.val.shape == sequence {
			survey(e.val, at+".levels", where)
		}
	}
	for i, item := range n.items {
		survey(item, index(path, i), where)
	}
}

// nearestNode finds the node at a path, or at the nearest place above it.
func nearestNode(path string, where map[string]*node) *node {
	for path != "" {
		if n := where[path]; n != nil {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return nil
}
