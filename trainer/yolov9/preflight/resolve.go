package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The names of the splits, in the order of a report.
const (
	Train = "train"
	Val   = "val"
	Test  = "test"
)

var splitNames = []string{Train, Val, Test}

// Data is a data.yaml resolved as the official code resolves it.
type Data struct {
	File   string             `json:"file"`  // absolute
	Root   string             `json:"root"`  // what its paths are relative to
	Names  []string           `json:"names"` // class names by number
	Splits map[string][]Entry `json:"splits"`
	// Base is the folder that relative lines of list files are seen from: the working directory of training.
	Base string `json:"base"`

	single map[string]bool // splits written as one path, not a list
}

// Entry is one path of a split.
type Entry struct {
	Written string `json:"written"` // as data.yaml has it
	Path    string `json:"path"`    // absolute, links resolved
	Line    int    `json:"line"`
}

// ASCII says whether all class names are ASCII; others make the official code look for another font.
func (d Data) ASCII() bool {
	for _, n := range d.Names {
		if strings.IndexFunc(n, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
			return false
		}
	}
	return true
}

// Resolve reads a data.yaml and finds its paths as the official code does when it is started in the checkout:
// relative to path, and path to the checkout, never to the folder of data.yaml or to where the user stands. Where the
// two differ and the file lies elsewhere, the fault says so. The Data are as far as they could be understood.
func Resolve(checkout, file string) (Data, Faults) {
	r := resolver{}
	at, err := Find(checkout, file)
	if err != nil {
		do := "give the path of a data.yaml, as seen from the study file, or an absolute one"
		if dir := rootRelative(checkout, file); isDir(dir) {
			do = "name the file, not its folder: " + filepath.Join(dir, "data.yaml")
		}
		return Data{File: file}, Faults{one(Error, AreaData, "yaml-missing", file, do, "there is no such data.yaml: %v", err)}
	}
	if real, err := filepath.EvalSymlinks(checkout); err == nil {
		checkout = real
	}
	if checkout, err = filepath.Abs(checkout); err != nil {
		return Data{File: at}, Faults{one(Error, AreaData, "yaml-missing", at, "", "%v", err)}
	}
	r.data = Data{File: at, Base: checkout, Root: checkout, Splits: map[string][]Entry{}, single: map[string]bool{}}
	b, err := os.ReadFile(at)
	switch {
	case err != nil:
		r.fault(Error, "yaml-missing", 0, "", "data.yaml cannot be read: %v", cause(err))
		return r.data, r.faults
	case strings.HasPrefix(string(b), "PK\x03\x04") || len(b) > 262 && string(b[257:262]) == "ustar":
		r.fault(Error, "yaml-archive", 0, "unpack it and give the path of its data.yaml", "this is an archive, which the official code would unpack into its data folder")
		return r.data, r.faults
	}
	r.read(b)
	return r.data, r.faults
}

// resolver collects what a data.yaml says and what is wrong with it.
type resolver struct {
	data   Data
	faults Faults
}

// fault adds a finding at a line of data.yaml; line 0 means the whole file.
func (r *resolver) fault(l Level, kind string, line int, do, format string, args ...any) {
	where := r.data.File
	if line > 0 {
		where += ":" + strconv.Itoa(line)
	}
	r.faults = append(r.faults, one(l, AreaData, kind, where, do, format, args...))
}

func (r *resolver) read(b []byte) {
	if !utf8.Valid(b) {
		r.fault(Warning, "yaml-encoding", 0, "save it as UTF-8", "data.yaml is not UTF-8: the official code drops the bytes that it cannot read")
		b = []byte(strings.ToValidUTF8(string(b), ""))
	}
	v, err := parseYAML(b)
	if err != nil {
		r.fault(Error, "yaml-syntax", 0, "mend it", "data.yaml cannot be read: %v", err)
		return
	}
	if v.sort != isMap {
		r.fault(Error, "yaml-syntax", 0, "write train, val and names", "data.yaml holds no keys")
		return
	}
	r.names(v)
	r.root(v)
	for _, s := range splitNames {
		r.split(v, s)
	}
}

// names reads names, and nc, which the official code overwrites.
func (r *resolver) names(v value) {
	names, ok := v.get("names")
	if !ok {
		r.fault(Error, "yaml-field", 0, "add names, a list or a map from number to name", "data.yaml has no names: the official code stops")
		return
	}
	switch names.sort {
	case isList:
		for _, n := range names.items {
			r.data.Names = append(r.data.Names, n.text)
		}
	case isMap:
		r.namesByNumber(names)
	default:
		r.fault(Error, "yaml-names", names.line, "write a list of names, or a map from number to name", "names is neither a list nor a map: the official code stops")
		return
	}
	if len(r.data.Names) == 0 && len(names.items) == 0 {
		r.fault(Error, "yaml-names", names.line, "name the classes", "names is empty: there is nothing to detect")
	}
	r.judgeNames(names)
	if nc, ok := v.get("nc"); ok && (nc.sort != isInt || nc.num != len(names.items)) {
		r.fault(Warning, "yaml-nc", nc.line, "make nc and names agree", "nc is %s, but names has %d classes: the official code ignores nc", nc.text, len(names.items))
	}
}

// namesByNumber reads a map from number to name.
func (r *resolver) namesByNumber(names value) {
	byNumber := map[int]string{}
	for i, k := range names.keys {
		if k.sort != isInt {
			r.fault(Error, "yaml-names", k.line, "write class numbers without quotes: 2: car", "names has the key %q, which is no number: the official code stops", k.text)
			return
		}
		byNumber[k.num] = names.items[i].text
	}
	r.data.Names = make([]string, len(byNumber))
	for n, name := range byNumber {
		if n < 0 || n >= len(byNumber) {
			r.data.Names = nil
			r.fault(Error, "yaml-names", names.line, "number the classes from 0 without gaps, in names and labels",
				"names has number %d, but there are %d classes: the official code takes their numbers for 0 to %d and stops when it prints the results or meets the label", n, len(byNumber), len(byNumber)-1)
			return
		}
		r.data.Names[n] = name
	}
}

// judgeNames looks at the names themselves.
func (r *resolver) judgeNames(names value) {
	for _, n := range names.items {
		if n.sort == isBool {
			r.fault(Warning, "yaml-names-bool", n.line, "put it in quotes", "a class is written as a truth value (yes, no, on, off, true or false), which the official code shows as %s", n.text)
			break
		}
	}
	seen := map[string]bool{}
	for _, n := range r.data.Names {
		if seen[n] {
			r.fault(Warning, "yaml-names-twice", names.line, "give every class a name of its own", "two classes are named %q: their results cannot be told apart", n)
			break
		}
		seen[n] = true
	}
	if !r.data.ASCII() {
		r.fault(Note, "yaml-names-font", names.line, "nothing: mapsweep puts a font in place", "class names are not ASCII: the official code wants the font Arial.Unicode.ttf and would download it")
	}
}

// root finds what paths are relative to.
func (r *resolver) root(v value) {
	path, ok := v.get("path")
	if !ok || !path.truthy() {
		return
	}
	if path.sort != isString {
		r.fault(Error, "yaml-path", path.line, "write a path", "path is %s, which is no text: the official code stops", path.text)
		return
	}
	r.home(path)
	if filepath.IsAbs(path.text) {
		r.data.Root = path.text
		return
	}
	r.data.Root = realpath(r.data.Base + "/" + path.text)
}

// home warns of "~", which nobody expands.
func (r *resolver) home(v value) {
	if strings.HasPrefix(v.text, "~") {
		r.fault(Error, "path-home", v.line, "write the whole path", "%s begins with ~, which the official code takes for a folder of that name", v.text)
	}
}

// split finds the paths of one split.
func (r *resolver) split(v value, name string) {
	x, ok := v.get(name)
	switch {
	case name == Test && (!ok || !x.truthy()):
		return
	case !ok:
		r.fault(Error, "yaml-field", 0, "add "+name+", the folder of its images", "data.yaml has no %s: the official code stops", name)
		return
	case !x.truthy():
		r.fault(Error, "yaml-field", x.line, "give the folder of its images", "%s is empty: the official code stops", name)
		return
	}
	written := x.items
	switch x.sort {
	case isString:
		written, r.data.single[name] = []value{x}, true
	case isList:
	default:
		r.fault(Error, "yaml-path", x.line, "write a path or a list of paths", "%s is neither a path nor a list of paths: the official code stops", name)
		return
	}
	for _, w := range written {
		if w.sort != isString {
			r.fault(Error, "yaml-path", w.line, "write a path", "%s has %s in its list, which is no path: the official code stops", name, w.text)
			continue
		}
		r.home(w)
		e := Entry{Written: w.text, Path: r.find(w.text, x.sort == isString), Line: w.line}
		r.data.Splits[name] = append(r.data.Splits[name], e)
		r.judgePath(v, name, e)
	}
}

// find resolves a path of a split. A single one, not one of a list, that begins with ../ and is not there is tried
// without it.
func (r *resolver) find(written string, single bool) string {
	join := func(p string) string {
		if filepath.IsAbs(p) {
			return realpath(p)
		}
		return realpath(r.data.Root + "/" + p)
	}
	at := join(written)
	if rest, ok := strings.CutPrefix(written, "../"); ok && single && !exists(at) {
		return join(rest)
	}
	return at
}

// judgePath says what is wrong with a resolved path.
func (r *resolver) judgePath(v value, name string, e Entry) {
	if exists(e.Path) {
		if isDir(e.Path) && strings.ContainsAny(e.Path, "*?[") {
			r.fault(Error, "path-pattern", e.Line, "rename the folder, or reach it through a link without these characters and name the images in a list file",
				"%s: %s holds *, ? or [, which the official code takes for a pattern: it finds no images, or other ones", name, e.Path)
		}
		return
	}
	if name == Test {
		r.fault(Note, "path-test", e.Line, "", "test: %s does not exist; training does not use it", e.Path)
		return
	}
	do := "write the absolute path"
	if at := r.elsewhere(e.Written); at != "" {
		do = "write " + at + ": paths are relative to path, or else to the checkout, not to data.yaml"
	}
	if d, ok := v.get("download"); ok && name == Val && d.truthy() {
		r.fault(Error, "yaml-download", d.line, "fetch the data yourself, or mend val; mapsweep lets nothing run that a data file names",
			"val: %s does not exist, and the official code would now download the data or run the script under download", e.Path)
		return
	}
	r.fault(Error, "path-missing", e.Line, do, "%s: %s does not exist", name, e.Path)
}

// elsewhere finds a path where its author may have meant it: beside data.yaml, below path beside data.yaml.
func (r *resolver) elsewhere(written string) string {
	if filepath.IsAbs(written) {
		return ""
	}
	dir := filepath.Dir(r.data.File)
	bare := written
	for strings.HasPrefix(bare, "../") {
		bare = bare[3:]
	}
	tries := []string{filepath.Join(dir, written), filepath.Join(dir, bare)}
	if rel, err := filepath.Rel(r.data.Base, r.data.Root); err == nil && rel != "." && !strings.HasPrefix(rel, "..") {
		tries = append(tries, filepath.Join(dir, rel, written))
	}
	for _, at := range tries {
		if exists(at) {
			return at
		}
	}
	return ""
}

// Absolute is a data.yaml that means the same wherever it lies and whatever the working directory is, with the
// exception of list files whose lines are relative to the working directory (fault "list-relative"). It holds no
// download and is plain ASCII. It can be written only when Resolve found no error.
func (d Data) Absolute() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, with its paths resolved as the official code resolves them\n", strconv.QuoteToASCII(d.File))
	root, err := yamlQuote(d.Root)
	if err != nil {
		return nil, fmt.Errorf("write data.yaml: path: %w", err)
	}
	fmt.Fprintf(&b, "path: %s\n", root)
	for _, s := range splitNames {
		entries := d.Splits[s]
		if len(entries) == 0 {
			if s != Test {
				return nil, fmt.Errorf("write data.yaml: %s of %s has no path", s, d.File)
			}
			continue
		}
		quoted := make([]string, len(entries))
		for i, e := range entries {
			if quoted[i], err = yamlQuote(e.Path); err != nil {
				return nil, fmt.Errorf("write data.yaml: %s: %w", s, err)
			}
		}
		if d.single[s] {
			fmt.Fprintf(&b, "%s: %s\n", s, quoted[0])
			continue
		}
		fmt.Fprintf(&b, "%s:\n", s)
		for _, q := range quoted {
			fmt.Fprintf(&b, "  - %s\n", q)
		}
	}
	if len(d.Names) == 0 {
		return nil, fmt.Errorf("write data.yaml: %s names no classes", d.File)
	}
	fmt.Fprintf(&b, "nc: %d\nnames:\n", len(d.Names))
	for i, n := range d.Names {
		q, err := yamlQuote(n)
		if err != nil {
			return nil, fmt.Errorf("write data.yaml: name of class %d: %w", i, err)
		}
		fmt.Fprintf(&b, "  %d: %s\n", i, q)
	}
	return []byte(b.String()), nil
}

// yamlQuote writes a text as a double-quoted YAML scalar of ASCII characters, which every locale reads alike.
func yamlQuote(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%q is not UTF-8: rename it", s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// realpath makes an absolute path free of links, "." and "..", whether or not it exists. It is Python's Path.resolve:
// unlike filepath.Clean, ".." after a link leads to the parent of the link's target.
func realpath(path string) string {
	const mostLinks = 255
	at, links := "/", 0
	rest := strings.Split(filepath.ToSlash(path), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, part)
		target, err := os.Readlink(next)
		if err != nil {
			at = next
			continue
		}
		if links++; links > mostLinks { // a circle
			return filepath.Join(append([]string{next}, rest...)...)
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = slices.Concat(strings.Split(target, "/"), rest)
	}
	return at
}
