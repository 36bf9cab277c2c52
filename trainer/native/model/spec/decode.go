package spec

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Parse decodes a model file strictly. path is for messages. The error is [Faults]: all that the decoding finds.
func Parse(path string, src []byte) (f *File, err error) {
	d := &decoder{report: report{file: path}}
	defer func() { // the parser must not take the program down on input that it does not understand
		if p := recover(); p != nil {
			f, err = nil, Faults{{File: path, Message: fmt.Sprintf("not YAML: %v", p)}}
		}
	}()
	if len(src) > maxFile {
		return nil, Faults{{File: path, Message: fmt.Sprintf("%d bytes: a model file has at most %d", len(src), maxFile)}}
	}
	tree, err := parser.ParseBytes(bytes.TrimPrefix(src, []byte("\ufeff")), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Faults{syntaxFault(path, err)}
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, Faults{{File: path, Message: "a model file is one YAML mapping with name, layers and head"}}
	}
	f = &File{path: path, Source: src, Width: 1, Depth: 1, Bins: defaultBins, named: map[string]Pos{}}
	d.file(f, tree.Docs[0].Body)
	if len(d.faults) > 0 {
		d.further(f)
		return nil, d.err()
	}
	return f, nil
}

// further adds what is wrong beyond the decoding, on lines that have no fault yet.
func (d *decoder) further(f *File) {
	var more Faults
	if _, err := f.Resolve(Options{Classes: 1}); !errors.As(err, &more) {
		return
	}
	lines := map[int]bool{0: true}
	for _, fault := range d.faults {
		lines[fault.Line] = true
	}
	for _, fault := range more {
		if !lines[fault.Line] {
			d.faults = append(d.faults, fault)
		}
	}
}

func syntaxFault(path string, err error) Fault {
	f := Fault{File: path, Message: "not YAML: " + firstLine(err.Error())}
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		f.Message = "not YAML: " + firstLine(y.GetMessage())
		if p := y.GetToken().Position; p != nil {
			f.Pos = Pos{p.Line, p.Column}
		}
	}
	return f
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// decoder turns the parser's tree into a File.
type decoder struct{ report }

func posOf(n ast.Node) Pos {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{}
	}
	return Pos{n.GetToken().Position.Line, n.GetToken().Position.Column}
}

// pair is a key of a mapping with its value.
type pair struct {
	key string
	at  Pos
	val ast.Node
}

// mapping lists the pairs of n. A key that stands twice is a fault.
func (d *decoder) mapping(n ast.Node, what string) (pairs []pair) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.add(posOf(n), "%s must be a mapping of keys to values", what)
		return nil
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		if seen[key] {
			d.add(posOf(v.Key), "%s has the key %s twice", what, key)
			continue
		}
		seen[key] = true
		pairs = append(pairs, pair{key, posOf(v.Key), v.Value})
	}
	return pairs
}

func (d *decoder) file(f *File, n ast.Node) {
	for _, p := range d.mapping(n, "a model file") {
		f.named[p.key] = p.at
		switch p.key {
		case "name":
			f.Name = d.text(p)
			if f.Name != "" && !labelRule.MatchString(f.Name) {
				d.add(posOf(p.val), "name %q: use letters, digits, dots, dashes and underscores", f.Name)
			}
		case "about":
			f.About = d.text(p)
		case "width":
			f.Width = d.number(p, 1.0/16, 16)
		case "depth":
			f.Depth = d.number(p, 1.0/16, 16)
		case "bins":
			f.Bins = d.whole(p.val, p.key, 2, maxBins)
		case "names":
			if s := d.text(p); s != "labels" && s != "" {
				d.add(posOf(p.val), "names is %q: labels is all it can be; leave it out for names as in PyTorch", s)
			}
			f.Labels = true
		case "layers":
			d.layers(f, p)
		case "head":
			d.head(&f.Head, p)
		default:
			d.add(p.at, "unknown key %s: %s", p.key, known(p.key, []string{"name", "about", "width", "depth", "bins", "names", "layers", "head"}))
		}
	}
	for _, key := range []string{"name", "layers", "head"} {
		if _, ok := f.named[key]; !ok {
			d.add(Pos{}, "the key %s is missing", key)
		}
	}
}

// labelRule is what labels and names are made of.
var labelRule = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)

func (d *decoder) layers(f *File, p pair) {
	list, ok := p.val.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		d.add(p.at, "layers must be a list of layers, each a mapping with the key module")
		return
	}
	if len(list.Values) > maxLayers {
		d.add(p.at, "%d layers: too deep; at most %d are read", len(list.Values), maxLayers)
		return
	}
	for i, n := range list.Values {
		f.Layers = append(f.Layers, d.layer(n, i))
	}
}

func (d *decoder) layer(n ast.Node, i int) FileLayer {
	l := FileLayer{Args: map[string][]int{}, at: map[string]Pos{}}
	what, before := fmt.Sprintf("layer %d", i), len(d.faults)
	for _, p := range d.mapping(n, what) {
		if l.Line == 0 {
			l.Pos = p.at
		}
		l.at[p.key] = posOf(p.val)
		a, isArgument := arguments[p.key]
		switch {
		case p.key == "module":
			l.Module = d.text(p)
		case p.key == "as":
			l.As = d.text(p)
			if !labelRule.MatchString(l.As) || l.As == Above || l.As == Image {
				d.add(posOf(p.val), "as is %q: use letters, digits, dots, dashes and underscores, and neither %s nor %s", l.As, Above, Image)
			}
		case p.key == "from":
			l.From, l.from = d.labels(p)
		case isArgument && a.list:
			l.Args[p.key] = d.wholes(p, a)
		case isArgument:
			l.Args[p.key] = []int{d.whole(p.val, p.key, a.low, a.high)}
		default:
			keys := append([]string{"module", "from", "as"}, slices.Sorted(maps.Keys(arguments))...)
			d.add(p.at, "%s has the unknown key %s: %s", what, p.key, known(p.key, keys))
		}
	}
	if l.Module == "" {
		d.add(posOf(n), "%s lacks the key module", what)
	}
	l.broken = len(d.faults) > before
	return l
}

func (d *decoder) head(h *FileHead, p pair) {
	h.Pos, h.Weight = p.at, defaultWeight
	for _, p := range d.mapping(p.val, "head") {
		switch p.key {
		case "module":
			h.Module = d.text(p)
		case "hidden":
			h.Hidden, h.hidden = d.whole(p.val, p.key, 1, maxChannels), posOf(p.val)
		case "main":
			h.Main, h.main = d.labels(p)
		case "auxiliary":
			h.Auxiliary, h.auxiliary = d.labels(p)
		case "weight":
			h.Weight = d.number(p, 0, 100)
		default:
			d.add(p.at, "head has the unknown key %s: %s", p.key, known(p.key, []string{"module", "hidden", "main", "auxiliary", "weight"}))
		}
	}
	if h.Module == "" {
		d.add(p.at, "head lacks the key module")
	}
	if len(h.Main) == 0 {
		d.add(p.at, "head lacks the key main: the layers that its levels are made of")
	}
	if len(h.Auxiliary) == 0 {
		h.Weight = 0
	}
}
