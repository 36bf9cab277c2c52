package claims

import (
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// places finds the lines of a file of claims. The zero value knows none.
type places struct{ file *ast.File }

func placesOf(src []byte) places {
	f, err := parser.ParseBytes(src, 0)
	if err != nil {
		return places{}
	}
	return places{f}
}

// keyRule is how faults begin that are about one key: "scene.subset ...", "margin ...".
var keyRule = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*`)

// of is "line 12: " for a fault of a claim: the line of the key that it begins with, or that of the claim; "" if
// there is none.
func (p places) of(claim int, fault error) string {
	key := keyRule.FindString(fault.Error())
	for _, path := range []string{fmt.Sprintf("$.claims[%d].%s", claim, key), fmt.Sprintf("$.claims[%d]", claim)} {
		if line := p.line(path); line > 0 {
			return fmt.Sprintf("line %d: ", line)
		}
	}
	return ""
}

// line is the line of what stands at a path, 0 if nothing does.
func (p places) line(path string) int {
	if p.file == nil {
		return 0
	}
	at, err := yaml.PathString(path)
	if err != nil {
		return 0
	}
	n, err := at.FilterFile(p.file)
	if err != nil || n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}
