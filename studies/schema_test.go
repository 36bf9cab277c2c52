package studies_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/shipped"
)

func TestSchemaGolden(t *testing.T) {
	b, err := studies.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/study.schema.json", string(b))
}

// Every key has words that an editor can show.
func TestSchemaDescribesEveryKey(t *testing.T) {
	var walk func(path string, s map[string]any)
	count := 0
	walk = func(path string, s map[string]any) {
		props, _ := s["properties"].(map[string]any)
		for name, p := range props {
			p := p.(map[string]any)
			if _, rule := p["const"]; rule {
				continue
			}
			count++
			if text, _ := p["description"].(string); len(text) < 15 {
				t.Errorf("%s.%s has no description", path, name)
			}
			walk(path+"."+name, p)
		}
		if more, ok := s["additionalProperties"].(map[string]any); ok {
			walk(path+".*", more)
		}
		if forms, ok := s["oneOf"].([]any); ok {
			for _, f := range forms {
				walk(path, f.(map[string]any))
			}
		}
	}
	walk("", schema(t))
	if count < 40 {
		t.Errorf("only %d keys were seen", count)
	}
}

func schema(t *testing.T) map[string]any {
	t.Helper()
	b, err := studies.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The schema and the decoder must agree about the shape of files.
func TestSchemaAgreesWithParse(t *testing.T) {
	s := schema(t)
	check := func(name, src string, want bool) {
		t.Helper()
		var doc any
		if err := yaml.Unmarshal([]byte(src), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		fault := conforms(s, v)
		if (fault == "") != want {
			t.Errorf("%s: schema says %q, want valid %v", name, fault, want)
		}
		if _, err := studies.Parse([]byte(src), studies.Options{}); (err == nil) != want {
			t.Errorf("%s: Parse says %v, want valid %v", name, err, want)
		}
	}
	for _, study := range shipped.List() {
		for backend, file := range study.Files {
			check(study.Name+" for "+backend, string(file), true)
		}
	}
	check("whole", whole, true)
	check("minimal", minimal, true)
	check("fixed", fixed, true)
	check("image size of a model of its own", "name: a\ntrainer: {backend: native, model: m, epochs: 1, data: a, image_size: 40}\ndesign: one-factor\n", true)
	check("command", "name: a\ntrainer: {backend: command, command: [a, 5], env: {X: 1}}\ndesign: one-factor\n", true)
	for _, add := range []string{
		"replicats: 3", "budget: {paralel: 2}", "replicates: five", "replicates: 0", "replicates: 1.5", "replicates: {until: settled, max: 3, looks: [1, 3]}", "seed: -1", "description: 3",
		"objective: {direction: up}", "objective: {epoch: first}", "objective: {split: train}", "keep: {best: -1}", "budget: {device_hours: much}",
		"factors: {a: 1}", "factors: {a: []}", "factors: {a: [1, 1]}", "factors: {a: [1, [2]]}", "factors: {a: {}}", "factors: {a: {level: [1, 2]}}",
		"factors: {a: {low: 1, levels: [1, 2]}}", "factors: {a: {log: true, levels: [1, 2]}}", "factors: {'a b': [1, 2]}",
		"baseline: {a: [1]}", "baseline: {a: }", "baseline: [1]", "search: {sampler: tep, trials: 3}", "search: {sampler: tpe}", "design: all",
	} {
		src := minimal + add + "\n"
		if strings.HasPrefix(add, "design") {
			src = strings.Replace(minimal, "design: one-factor", add, 1)
		}
		check(add, src, false)
	}
	for _, trainer := range []string{
		"{}", "{backend: other}", "{backend: native}", "{backend: command}", "{backend: command, command: []}", "{backend: command, command: a b}",
		"{backend: native, model: m, epochs: 1, data: []}", "{backend: native, model: m, epochs: 0, data: a}", "{backend: native, model: m, epochs: 1, data: [a, a]}",
		"{backend: yolov9, model: m, epochs: 1, data: a, image_size: 100}", "{backend: native, model: m, epochs: 1, data: a, image_size: 16}", "{backend: native, model: m, epochs: 1, data: a, device: gpu}",
		"{backend: native, model: m, epochs: 1, data: a, timeout: soon}", "{backend: native, model: m, epochs: 1, data: a, command: [b]}",
	} {
		check(trainer, "name: a\ntrainer: "+trainer+"\ndesign: one-factor\n", false)
	}
	for rest, want := range map[string]bool{
		"arguments: {each: '--{flag} {value}', if_true: '--{flag}', if_false: ''}":     true,
		"metrics: {format: csv, file: a.csv, columns: {score: a}}":                     true,
		"metrics: {format: csv, file: a.csv, epoch: e, first: 0, columns: {score: 5}}": true,
		"metrics: {format: jsonl}":                                           true,
		"metrics: {}":                                                        true,
		"checkpoint: {file: last.pt}":                                        true,
		"checkpoint: {file: last.pt, resume: [a, 5]}":                        true,
		"arguments: '--{flag}'":                                              false,
		"arguments: {if_true: a}":                                            false,
		"arguments: {each: 5}":                                               false,
		"metrics: csv":                                                       false,
		"metrics: {format: tsv, file: a, columns: {score: a}}":               false,
		"metrics: {format: csv, columns: {score: a}}":                        false,
		"metrics: {format: csv, file: a.csv}":                                false,
		"metrics: {format: csv, file: a.csv, first: 2, columns: {score: a}}": false,
		"metrics: {format: csv, file: a.csv, columns: [a]}":                  false,
		"metrics: {file: a.csv, columns: {score: a}}":                        false,
		"metrics: {epoch: e}":                                                false,
		"checkpoint: {resume: [a]}":                                          false,
		"checkpoint: {file: a, resume: a b}":                                 false,
	} {
		command := "[a]"
		if strings.HasPrefix(rest, "arguments") {
			command = "[a, '{args}']"
		}
		check(rest, "name: a\nobjective: {metric: score}\ntrainer:\n  backend: command\n  command: "+command+"\n  "+rest+"\ndesign: one-factor\n", want)
	}
	for _, key := range []string{"arguments: {each: a}", "metrics: {}", "checkpoint: {file: a}"} {
		check(key, "name: a\ntrainer: {backend: native, model: m, epochs: 1, data: a, "+key+"}\ndesign: one-factor\n", false)
		check(key, "name: a\ntrainer: {backend: yolov9, model: m, epochs: 1, data: a, "+key+"}\ndesign: one-factor\n", false)
	}
	for _, rest := range []string{"design: search\nfactors: {a: [1, 2]}", "design: search\nsearch: {trials: 1}", "design: factorial", "design: grid", "design: leave-one-out"} {
		check(rest, "name: a\ntrainer: {backend: command, command: [a]}\n"+rest+"\n", false)
	}
	check("a search", searching, true)
	for _, rest := range []string{"constraints: [{metric: a}]", "constraints: [{at_most: 1}]", "constraints: [{metric: a, at_most: 1, at_least: 2}]", "data_split: {tune: train}",
		"search: {trials: 1, try: [{}]}", "search: {trials: 1, forbid: {a: 1}}", "search: {trials: 1, stop: {no_improvement: 0}}", "search: {trials: 1, stop: 3}",
		"search: {trials: 1, fix: [a]}", "search: {trials: 1, sampler_options: {a: [1]}}", "objective: {also: [{metric: a}, {metric: b}, {metric: c}]}",
		"objective: {also: [{direction: minimize}]}", "budget: {wall_clock: soon}", "budget: {epochs: -1}"} {
		base := "name: a\ntrainer: {backend: command, command: [a]}\ndesign: search\nfactors: {a: [1, 2]}\n"
		if !strings.HasPrefix(rest, "search") {
			base += "search: {trials: 1}\n"
		}
		check(rest, base+rest+"\n", false)
	}
	check("name", "name: a b\ntrainer: {backend: command, command: [a]}\ndesign: one-factor\n", false)
	check("no name", "trainer: {backend: command, command: [a]}\ndesign: one-factor\n", false)
	check("no trainer", "name: a\ndesign: one-factor\n", false)
}

// conforms is the part of JSON Schema that the study schema uses; "" means valid.
// A keyword that it does not know is a fault, so that nothing is passed over.
func conforms(s map[string]any, v any) string {
	for key, rule := range s {
		if fault := keyword(s, key, rule, v); fault != "" {
			return key + ": " + fault
		}
	}
	return ""
}

func keyword(s map[string]any, key string, rule, v any) string {
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	text, isText := v.(string)
	number, isNumber := v.(float64)
	all := func(rules any, want func(valid, of int) bool) string {
		n, of := 0, 0
		for _, r := range rules.([]any) {
			of++
			if conforms(r.(map[string]any), v) == "" {
				n++
			}
		}
		if !want(n, of) {
			return fmt.Sprintf("%d of %d forms fit", n, of)
		}
		return ""
	}
	bad := func(is bool) string {
		if is {
			return fmt.Sprint(v)
		}
		return ""
	}
	switch key {
	case "$schema", "title", "description", "default", "then", "else":
	case "type":
		types := map[string]bool{"object": isObject, "array": isList, "string": isText, "number": isNumber,
			"integer": isNumber && number == math.Trunc(number), "boolean": v == true || v == false}
		return bad(!types[rule.(string)])
	case "properties":
		for name, p := range rule.(map[string]any) {
			if x, ok := object[name]; ok {
				if fault := conforms(p.(map[string]any), x); fault != "" {
					return name + "." + fault
				}
			}
		}
	case "additionalProperties":
		props, _ := s["properties"].(map[string]any)
		for name, x := range object {
			if _, known := props[name]; known {
				continue
			}
			if rule == false {
				return name
			}
			if fault := conforms(rule.(map[string]any), x); fault != "" {
				return name + "." + fault
			}
		}
	case "propertyNames":
		for name := range object {
			if fault := conforms(rule.(map[string]any), name); fault != "" {
				return fault
			}
		}
	case "required":
		for _, name := range rule.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return name.(string)
			}
		}
	case "dependentRequired":
		for name, needs := range rule.(map[string]any) {
			for _, other := range needs.([]any) {
				_, has := object[name]
				if _, ok := object[other.(string)]; has && !ok {
					return name
				}
			}
		}
	case "if":
		if conforms(rule.(map[string]any), v) == "" {
			return conforms(s["then"].(map[string]any), v)
		}
		if e, ok := s["else"].(map[string]any); ok {
			return conforms(e, v)
		}
	case "not":
		return bad(conforms(rule.(map[string]any), v) == "")
	case "oneOf":
		return all(rule, func(n, _ int) bool { return n == 1 })
	case "anyOf":
		return all(rule, func(n, _ int) bool { return n > 0 })
	case "allOf":
		return all(rule, func(n, of int) bool { return n == of })
	case "const":
		return bad(!reflect.DeepEqual(rule, v))
	case "enum":
		for _, e := range rule.([]any) {
			if reflect.DeepEqual(e, v) {
				return ""
			}
		}
		return bad(true)
	case "pattern":
		return bad(isText && !regexp.MustCompile(rule.(string)).MatchString(text))
	case "minimum":
		return bad(isNumber && number < rule.(float64))
	case "maximum":
		return bad(isNumber && number > rule.(float64))
	case "multipleOf":
		return bad(isNumber && math.Mod(number, rule.(float64)) != 0)
	case "minItems":
		return bad(isList && len(list) < int(rule.(float64)))
	case "maxItems":
		return bad(isList && len(list) > int(rule.(float64)))
	case "minProperties":
		return bad(isObject && len(object) < int(rule.(float64)))
	case "items":
		for _, x := range list {
			if fault := conforms(rule.(map[string]any), x); fault != "" {
				return fault
			}
		}
	case "uniqueItems":
		for i, x := range list {
			for _, y := range list[:i] {
				if reflect.DeepEqual(x, y) {
					return fmt.Sprint(x)
				}
			}
		}
	default:
		return "unknown keyword"
	}
	return ""
}
