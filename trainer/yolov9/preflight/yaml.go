package preflight

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlSort is the type that PyYAML gives a value. It reads YAML 1.1, where yes, no, on and off are truth values and 010 is
// eight, so that a reader of YAML 1.2 sees other types than the official code.
type yamlSort int

const (
	isNull yamlSort = iota
	isBool
	isInt
	isOther // a fraction or a date: no path and no class number
	isString
	isList
	isMap
)

// value is a node of a YAML file as PyYAML understands it.
type value struct {
	sort  yamlSort
	text  string // of scalars: as Python prints them
	num   int    // of isInt
	line  int
	items []value // of isList, and the values of isMap
	keys  []value // of isMap
}

// get returns the value of a key; of several the last counts, as in PyYAML.
func (v value) get(key string) (value, bool) {
	for i := len(v.keys) - 1; i >= 0; i-- {
		if v.keys[i].sort == isString && v.keys[i].text == key {
			return v.items[i], true
		}
	}
	return value{}, false
}

// truthy says what Python takes the value for in a condition.
func (v value) truthy() bool {
	switch v.sort {
	case isNull:
		return false
	case isBool:
		return v.text == "True"
	case isInt:
		return v.num != 0
	case isList, isMap:
		return len(v.items) > 0
	}
	return v.text != ""
}

// maxDepth and maxNodes guard against files made to exhaust memory.
const (
	maxDepth = 50
	maxNodes = 1 << 20
)

// parseYAML reads the first document of a file.
func parseYAML(b []byte) (v value, err error) {
	defer func() {
		if r := recover(); r != nil { // a parser that trips over its input
			err = fmt.Errorf("parser failed: %v", r)
		}
	}()
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
		return value{}, errors.New(line)
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d != nil && d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	switch len(docs) {
	case 0:
		return value{}, nil
	case 1:
	default:
		return value{}, errors.New("it holds several documents")
	}
	c := converter{anchors: map[string]ast.Node{}}
	return c.value(docs[0], 0)
}

// converter turns nodes into values.
type converter struct {
	anchors map[string]ast.Node
	nodes   int
}

func (c *converter) value(n ast.Node, depth int) (value, error) {
	if c.nodes++; depth > maxDepth || c.nodes > maxNodes {
		return value{}, errors.New("it is nested too deeply or too large")
	}
	v := value{}
	if t := n.GetToken(); t != nil && t.Position != nil {
		v.line = t.Position.Line
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		v.sort = isMap
		return v, c.pairs(&v, n.Values, depth)
	case *ast.MappingValueNode:
		v.sort = isMap
		return v, c.pairs(&v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		v.sort = isList
		for _, x := range n.Values {
			item, err := c.value(x, depth+1)
			if err != nil {
				return v, err
			}
			v.items = append(v.items, item)
		}
		return v, nil
	case *ast.MappingKeyNode:
		return c.value(n.Value, depth+1)
	case *ast.AnchorNode:
		c.anchors[n.Name.String()] = n.Value
		return c.value(n.Value, depth+1)
	case *ast.AliasNode:
		target, ok := c.anchors[n.Value.String()]
		if !ok {
			return v, fmt.Errorf("line %d: alias %s names nothing", v.line, n.Value)
		}
		return c.value(target, depth+1)
	case *ast.TagNode, *ast.MergeKeyNode, *ast.DirectiveNode:
		return v, fmt.Errorf("line %d: tags, directives and merge keys are not understood here", v.line)
	case *ast.LiteralNode:
		v.sort, v.text = isString, n.Value.Value
		return v, nil
	case *ast.StringNode:
		if n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType {
			v.sort, v.text = isString, n.Value
			return v, nil
		}
		return plain(v, n.Value), nil
	case nil:
		return v, nil
	}
	return plain(v, n.GetToken().Value), nil
}

func (c *converter) pairs(v *value, pairs []*ast.MappingValueNode, depth int) error {
	for _, p := range pairs {
		key, err := c.value(p.Key, depth+1)
		if err != nil {
			return err
		}
		val := value{line: key.line}
		if p.Value != nil {
			if val, err = c.value(p.Value, depth+1); err != nil {
				return err
			}
		}
		v.keys, v.items = append(v.keys, key), append(v.items, val)
	}
	return nil
}

// The plain scalars of YAML 1.1 that are no strings (yaml.org/type), without sexagesimal numbers.
var (
	yamlBool  = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	yamlInt   = regexp.MustCompile(`^[-+]?(?:0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$`)
	yamlOther = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+)$`)
)

// plain gives an unquoted scalar its type.
func plain(v value, text string) value {
	v.text = text
	switch {
	case text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL":
		v.sort, v.text = isNull, "None"
	case yamlBool.MatchString(text):
		v.sort, v.text = isBool, "False"
		if b := strings.ToLower(text); b == "yes" || b == "true" || b == "on" {
			v.text, v.num = "True", 1
		}
	case yamlInt.MatchString(text):
		n, ok := yamlInteger(text)
		if !ok {
			v.sort = isOther
			return v
		}
		v.sort, v.num, v.text = isInt, n, strconv.Itoa(n)
	case yamlOther.MatchString(text):
		v.sort = isOther
	default:
		v.sort = isString
	}
	return v
}

// yamlInteger reads a number of YAML 1.1: 0b binary, 0 octal, 0x hexadecimal.
func yamlInteger(s string) (int, bool) {
	s = strings.ReplaceAll(s, "_", "")
	sign := 1
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	base := 10
	switch {
	case strings.HasPrefix(s, "0b"):
		base, s = 2, s[2:]
	case strings.HasPrefix(s, "0x"):
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, s = 8, s[1:]
	}
	n, err := strconv.ParseInt(s, base, 32)
	return sign * int(n), err == nil
}
