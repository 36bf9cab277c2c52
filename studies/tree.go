package studies

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a study file: far above any real one, low enough that a hostile file is harmless.
const (
	maxFile  = 64 << 10 // bytes; the parser's time grows with the square
	maxDepth = 40       // nested brackets, and columns of indentation divided by two
)

type shape int

const (
	scalar shape = iota
	sequence
	mapping
)

func (s shape) String() string {
	return [...]string{"a value", "a list", "a mapping"}[s]
}

// node is one value of the file with its place. A node that an override brought has set.
type node struct {
	shape   shape
	value   any    // of a scalar: string, bool, int64, float64 or nil
	text    string // of a scalar: as written
	line    int
	col     int
	set     string
	refused bool    // a fault was reported already: an alias or a tag
	entries []entry // of a mapping, in file order
	items   []*node // of a sequence
}

type entry struct {
	key *node // scalar; value is the key as a string
	val *node
}

func (n *node) lookup(key string) *node {
	for _, e := range n.entries {
		if e.key.value == key {
			return e.val
		}
	}
	return nil
}

// parseTree reads YAML into nodes. Anchors, aliases, merge keys, tags and several
// documents are refused: a study file says everything in one place.
func parseTree(src []byte) (root *node, faults Faults) {
	if len(src) > maxFile {
		return nil, Faults{{Message: fmt.Sprintf("file has %d bytes, a study file has at most %d", len(src), maxFile)}}
	}
	if line := tooDeep(src); line > 0 {
		return nil, Faults{{Line: line, Col: 1, Message: "nested too deeply for a study file"}}
	}
	defer func() { // the parser must not take the program down on input that it does not understand
		if r := recover(); r != nil {
			root, faults = nil, Faults{{Message: fmt.Sprintf("read YAML: %v", r)}}
		}
	}()
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Faults{syntaxFault(err)}
	}
	b := builder{}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if root != nil {
			b.fault(doc.Body.GetToken(), "a second document", "a study file holds one study")
			break
		}
		root = b.node(doc.Body, 0)
	}
	return root, b.faults
}

// tooDeep returns the first line that nests deeper than any study file, or 0.
func tooDeep(src []byte) int {
	depth := 0
	for i, line := range bytes.Split(src, []byte("\n")) {
		lead := 0 // indentation and "- - -" both open levels
		for lead < len(line) && (line[lead] == ' ' || line[lead] == '-' || line[lead] == '?') {
			lead++
		}
		if lead > 2*maxDepth && lead < len(line) {
			return i + 1
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			case ':':
			}
			if depth > maxDepth {
				return i + 1
			}
		}
	}
	return 0
}

func syntaxFault(err error) Fault {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return Fault{Message: "read YAML: " + firstLine(err.Error())}
	}
	t := y.GetToken()
	f := Fault{Message: "not YAML: " + firstLine(y.GetMessage()), Text: firstLine(strings.TrimSpace(t.Origin))}
	if t.Position != nil {
		f.Line, f.Col = t.Position.Line, t.Position.Column
	}
	if strings.Contains(t.Origin, "\t") {
		f.Hint = "indent with spaces, not tabs"
	}
	return f
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// exponent is a number such as 5e-4, which YAML 1.2 has and the parser takes for text.
var exponent = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$`)

// builder turns the parser's tree into nodes.
type builder struct{ faults Faults }

func (b *builder) fault(t *token.Token, what, hint string) {
	f := Fault{Message: what, Hint: hint}
	if t != nil && t.Position != nil {
		f.Line, f.Col, f.Text = t.Position.Line, t.Position.Column, firstLine(t.Value)
	}
	b.faults = append(b.faults, f)
}

func (b *builder) node(a ast.Node, depth int) *node {
	if a == nil {
		return &node{}
	}
	n := &node{}
	if t := a.GetToken(); t != nil {
		n.text = t.Value
		if t.Position != nil {
			n.line, n.col = t.Position.Line, t.Position.Column
		}
	}
	if depth > 2*maxDepth {
		b.fault(a.GetToken(), "nested too deeply for a study file", "")
		return n
	}
	switch a := a.(type) {
	case *ast.MappingNode:
		b.mapping(n, a.Values, depth)
	case *ast.MappingValueNode:
		b.mapping(n, []*ast.MappingValueNode{a}, depth)
	case *ast.SequenceNode:
		n.shape = sequence
		for _, v := range a.Values {
			n.items = append(n.items, b.node(v, depth+1))
		}
	case *ast.StringNode:
		n.value = a.Value
		if x, err := strconv.ParseFloat(a.Value, 64); a.Token.Type == token.StringType && exponent.MatchString(a.Value) && err == nil {
			n.value = whole(x)
		}
	case *ast.LiteralNode:
		n.value = a.Value.Value
	case *ast.BoolNode:
		n.value = a.Value
	case *ast.IntegerNode:
		b.integer(n, a)
	case *ast.FloatNode:
		n.value = whole(a.Value)
	case *ast.InfinityNode:
		n.value = a.Value
	case *ast.NanNode:
		n.value = math.NaN()
	case *ast.NullNode:
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		b.fault(a.GetToken(), "anchors, aliases and merge keys are not read in a study file", "write the value out")
		n.refused = true
	case *ast.TagNode:
		b.fault(a.GetToken(), "tags are not read in a study file", "write the value without its tag")
		n.refused = true
	default:
		b.fault(a.GetToken(), "cannot be read in a study file: "+a.Type().String(), "")
		n.refused = true
	}
	return n
}

func (b *builder) mapping(n *node, values []*ast.MappingValueNode, depth int) {
	n.shape = mapping
	for i, v := range values {
		k := &node{}
		if v.Key.IsMergeKey() {
			b.fault(v.Key.GetToken(), "anchors, aliases and merge keys are not read in a study file", "write the values out")
			continue
		}
		if t := v.Key.GetToken(); t != nil {
			k.text, k.value = t.Value, t.Value
			if t.Position != nil {
				k.line, k.col = t.Position.Line, t.Position.Column
			}
		}
		switch v.Key.(type) {
		case *ast.MappingKeyNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			b.fault(v.Key.GetToken(), "a key must be a plain word", "")
			continue
		}
		if i == 0 && n.text != "{" {
			n.line, n.col, n.text = k.line, k.col, k.text
		}
		val := b.node(v.Value, depth+1)
		if val.line == 0 || val.shape == scalar && val.value == nil && !val.refused { // nothing is there to point at
			val.line, val.col, val.text = k.line, k.col, k.text
		}
		n.entries = append(n.entries, entry{k, val})
	}
}

func (b *builder) integer(n *node, a *ast.IntegerNode) {
	switch v := a.Value.(type) {
	case int64:
		n.value = v
	case uint64:
		if v <= math.MaxInt64 {
			n.value = int64(v)
		} else {
			n.value = float64(v)
		}
	}
}

// whole turns a float that is a whole number into an integer, so that 1, 1.0 and
// their stored JSON forms are one value. Very large ones stay as they are.
func whole(x float64) any {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return int64(x)
	}
	return x
}
