package studies

import (
	"fmt"
	"strings"
)

// override lays "dotted.path=value" over the tree. The value is YAML. Keys that the
// study file does not know are found later, by the decoder, with the override named.
func override(root *node, set string) *Fault {
	path, text, ok := strings.Cut(set, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return &Fault{Set: set, Message: "an override is written key=value", Hint: "for instance trainer.epochs=5"}
	}
	val, faults := parseTree([]byte(text))
	if len(faults) > 0 {
		return &Fault{Set: set, Path: path, Text: text, Message: "value: " + faults[0].Message, Hint: faults[0].Hint}
	}
	if val == nil {
		val = &node{}
	}
	mark(val, set)
	return put(root, path, val, set)
}

// longForm are the keys whose value may be a mapping or a scalar, and under which key of the mapping the scalar is
// kept when an override names another key of it. A number of replicates makes way for replicates until settled.
var longForm = map[string]string{"design": "kind", "replicates": "count"}

// put sets the value at path below n, making the mappings on the way.
func put(root *node, path string, val *node, set string) *Fault {
	n, parent, rest := root, "", path
	for depth := 0; ; depth++ {
		if key, ok := longForm[parent]; ok && depth == 1 && n.shape == scalar {
			short := *n
			*n = node{shape: mapping, line: n.line, col: n.col, text: n.text}
			if settles := parent == "replicates" && rest != "margin" && rest != "alpha" && rest != "correction"; !settles {
				n.entries = []entry{{keyNode(key, ""), &short}}
			}
		}
		if n.shape != mapping {
			if factor := depth == 2 && strings.HasPrefix(parent, "factors."); !factor {
				return &Fault{Set: set, Path: path, Message: fmt.Sprintf("%s is %s and has no keys", orFile(parent), describe(n))}
			}
			if n.shape == sequence { // a factor in short form becomes the long one
				list := *n
				*n = node{shape: mapping, line: n.line, col: n.col, text: n.text, entries: []entry{{keyNode("levels", ""), &list}}}
			} else {
				*n = node{shape: mapping, set: set}
			}
		}
		key := firstKey(n, parent, rest)
		if key == "" || strings.HasSuffix(rest, ".") {
			return &Fault{Set: set, Path: path, Message: fmt.Sprintf("%q is not a path of keys with dots between", path)}
		}
		next := n.lookup(key)
		if key == rest {
			if next != nil {
				*next = *val
			} else {
				n.entries = append(n.entries, entry{keyNode(key, set), val})
			}
			return nil
		}
		if next == nil {
			next = &node{shape: mapping, set: set}
			n.entries = append(n.entries, entry{keyNode(key, set), next})
		}
		n, parent, rest = next, join(parent, key), rest[len(key)+1:]
	}
}

// firstKey is the part of the path that is a key of n. Knobs may have dots in
// their names, so under baseline, env, columns and requires the whole rest is the key, and among
// factors the longest name that is there already.
func firstKey(n *node, parent, rest string) string {
	switch {
	case parent == "baseline", parent == "trainer.env", parent == "trainer.metrics.columns", strings.HasPrefix(parent, "variants."), strings.HasPrefix(parent, "factors.") && strings.HasSuffix(parent, ".requires"):
		return rest
	case parent == "factors":
		best := ""
		for _, e := range n.entries {
			k, _ := e.key.value.(string)
			if len(k) > len(best) && (rest == k || strings.HasPrefix(rest, k+".")) {
				best = k
			}
		}
		if best != "" {
			return best
		}
	}
	key, _, _ := strings.Cut(rest, ".")
	return key
}

func keyNode(key, set string) *node {
	return &node{value: key, text: key, set: set}
}

// mark says of a whole value that an override brought it; its lines are not lines of the file.
func mark(n *node, set string) {
	n.set, n.line, n.col = set, 0, 0
	for _, e := range n.entries {
		mark(e.key, set)
		mark(e.val, set)
	}
	for _, item := range n.items {
		mark(item, set)
	}
}
