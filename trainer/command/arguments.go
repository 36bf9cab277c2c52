package command

import (
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// argumentsMark is the item of a command that stands for all parameters as arguments.
const argumentsMark = "{args}"

// Arguments says how parameters become arguments. In the forms {name} is the parameter's name, {flag} that name with
// dashes for underscores, {value} its value. A blank in a form separates two arguments; values may have blanks.
type Arguments struct {
	Each    string  // form of a parameter: "--{flag} {value}", "--{flag}={value}", "{name}={value}"
	IfTrue  *string // form of one that is true; nil: the flag alone if Each begins with a dash, else Each
	IfFalse *string // form of one that is false; "": it is left out; nil: left out if Each begins with a dash, else Each
}

// forms are the three forms, defaults filled in.
func (a Arguments) forms() (each, ifTrue, ifFalse string) {
	each, ifTrue, ifFalse = a.Each, a.Each, a.Each
	if strings.HasPrefix(strings.TrimSpace(each), "-") {
		ifTrue, _, _ = strings.Cut(each, "{value}")
		ifTrue, ifFalse = strings.TrimRight(ifTrue, " =:"), ""
	}
	if a.IfTrue != nil {
		ifTrue = *a.IfTrue
	}
	if a.IfFalse != nil {
		ifFalse = *a.IfFalse
	}
	return each, ifTrue, ifFalse
}

// of lists the arguments of the parameters, by name. Those that the command names itself are left out, and so are
// those without a value.
func (a Arguments) of(params trials.Params, named map[string]bool) ([]string, error) {
	each, ifTrue, ifFalse := a.forms()
	var args []string
	for _, name := range params.Names() {
		v := params[name]
		form := each
		switch {
		case named[name], v == nil:
			continue
		case v == true:
			form = ifTrue
		case v == false:
			form = ifFalse
		}
		t := template{values: map[string]string{"name": name, "flag": strings.ReplaceAll(name, "_", "-"), "value": trials.FormatValue(v)}}
		for word := range strings.FieldsSeq(form) {
			text, err := t.expand(word)
			if err != nil {
				return nil, fmt.Errorf("trainer.arguments: %w", err)
			}
			args = append(args, text)
		}
	}
	return args, nil
}

// check says whether the forms can be filled.
func (a Arguments) check() error {
	if !strings.Contains(a.Each, "{value}") {
		return fmt.Errorf("trainer.arguments.each %q lacks {value}", a.Each)
	}
	_, err := a.of(trials.Params{"a": "", "b": true, "c": false}, nil)
	return err
}

// named are the parameters that a command names by placeholders of their own.
func named(command []string) map[string]bool {
	names := map[string]bool{}
	for _, word := range command {
		for _, p := range placeholders(word) {
			names[p[1:len(p)-1]] = true
		}
	}
	return names
}
