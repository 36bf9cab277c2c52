package studies

import (
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of the study file, for editors. It knows
// everything that can be said of single keys, and which keys a backend or design
// needs; what levels, ranges and knobs say to each other is checked by Parse and Validate.
func Schema() ([]byte, error) {
	s := reflector().Reflect(fileStudy{})
	s.Title = "mapsweep study"
	s.Description = "What a study asks: what is trained, what is varied, and how often."
	s.AllOf = append(s.AllOf,
		whenDesign(need("search", "factors"), DesignSearch),
		whenDesign(need("variants"), DesignVariants),
		whenDesign(need("factors"), DesignLeaveOneOut, DesignFactorial, DesignGrid, DesignFractional, DesignPlackettBurman,
			DesignLatinHypercube, DesignSobol),
	)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode JSON Schema: %w", err)
	}
	return append(b, '\n'), nil
}

func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{Anonymous: true, DoNotReference: true, RequiredFromJSONSchemaTags: true}
}

// when is the rule "if key has that value, then ...".
func when(key, value string, then *jsonschema.Schema) *jsonschema.Schema {
	is := jsonschema.NewProperties()
	is.Set(key, &jsonschema.Schema{Const: value})
	return &jsonschema.Schema{If: &jsonschema.Schema{Properties: is, Required: []string{key}}, Then: then}
}

// whenDesign is the rule "if the design is one of these, in short or long form, then ...".
func whenDesign(then *jsonschema.Schema, kinds ...any) *jsonschema.Schema {
	kind, design := jsonschema.NewProperties(), jsonschema.NewProperties()
	kind.Set("kind", &jsonschema.Schema{Enum: kinds})
	design.Set("design", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Enum: kinds}, {Type: "object", Properties: kind, Required: []string{"kind"}}}})
	return &jsonschema.Schema{If: &jsonschema.Schema{Properties: design, Required: []string{"design"}}, Then: then}
}

// durationPattern is a duration as Go reads it: 45m, 2h30m.
const durationPattern = `^([0-9.]+(h|m|s|ms))+$`

func need(keys ...string) *jsonschema.Schema { return &jsonschema.Schema{Required: keys} }

// JSONSchemaExtend adds what tags cannot say.
func (fileStudy) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "name").Pattern = namePattern
}

// JSONSchemaExtend says which keys each backend needs, and which it does not read.
func (fileTrainer) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "timeout").Pattern = durationPattern
	property(s, "device").Pattern = `^(auto|cpu|cuda|cuda:[0-9]+(,[0-9]+)*)$`
	native := need("model", "data", "epochs")
	native.Not = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{need("command"), need("env")}}
	other := &jsonschema.Schema{Not: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{need("arguments"), need("metrics"), need("checkpoint")}}}
	size := jsonschema.NewProperties()
	size.Set("image_size", &jsonschema.Schema{MultipleOf: "32"})
	s.AllOf = append(s.AllOf, when("backend", BackendNative, native), when("backend", BackendCommand, need("command")),
		when("backend", BackendNative, other), when("backend", BackendYOLOv9, other), when("backend", BackendYOLOv9, &jsonschema.Schema{Properties: size}))
}

// JSONSchemaExtend says what a table needs, and that JSON lines need nothing.
func (fileMetrics) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "first").Enum = []any{0, 1}
	table := when("format", FormatTable, need("file", "columns"))
	table.Else = &jsonschema.Schema{Not: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{need("file"), need("epoch"), need("columns")}}}
	s.AllOf = append(s.AllOf, table)
}

// JSONSchemaExtend ties the parts of a range together.
func (fileFactor) JSONSchemaExtend(s *jsonschema.Schema) {
	s.DependentRequired = map[string][]string{
		"low": {"high"}, "high": {"low"}, "step": {"low"}, "log": {"low"}, "int": {"low"},
	}
	s.AnyOf = []*jsonschema.Schema{need("levels"), need("low")}
}

func property(s *jsonschema.Schema, name string) *jsonschema.Schema {
	p, ok := s.Properties.Get(name)
	if !ok {
		panic("studies: schema has no key " + name)
	}
	return p
}

// scalarSchema is one value of a knob.
func scalarSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "number"}, {Type: "boolean"}, {Type: "string", Pattern: `^[^\r\n]+$`},
	}}
}

// wordSchema is an argument or a variable: numbers and truth values are taken as they are written.
func wordSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

func one() *uint64 { n := uint64(1); return &n }

// JSONSchema is one text or a list of texts.
func (textList) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		text, {Type: "array", Items: text, MinItems: one(), UniqueItems: true},
	}}
}

// JSONSchema is a list of texts; numbers are taken as they are written.
func (words) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: wordSchema(), MinItems: one()}
}

// JSONSchema is a list of different scalars.
func (levels) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: scalarSchema(), MinItems: one(), UniqueItems: true}
}

// JSONSchema is a list of whole numbers from 2: one replicate says nothing of how much seeds differ.
func (counts) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "integer", Minimum: "2"}, MinItems: one()}
}

// JSONSchema is the name of a design, or a mapping.
func (fileDesign) JSONSchema() *jsonschema.Schema {
	long := longSchema(designOptions{}, "design with options")
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string", Enum: property(long, "kind").Enum}, long}}
}

// JSONSchema is a number of replicates, or a mapping.
func (fileReplicates) JSONSchema() *jsonschema.Schema {
	long := longSchema(replicateOptions{}, "how many, and by which rules")
	long.Not = need("count", "until")
	long.DependentRequired = map[string][]string{"max": {"until"}, "rule": {"until"}, "looks": {"until"}}
	property(long, "alpha").ExclusiveMaximum = "1"
	return &jsonschema.Schema{Default: 1, OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, long}}
}

// JSONSchema is a list of points.
func (filePoints) JSONSchema() *jsonschema.Schema {
	point := fileParams{}.JSONSchema()
	point.MinProperties = one()
	return &jsonschema.Schema{Type: "array", Items: point}
}

// JSONSchema is a list of objectives.
func (fileGoals) JSONSchema() *jsonschema.Schema {
	most := uint64(maxGoals - 1)
	return &jsonschema.Schema{Type: "array", MaxItems: &most, Items: longSchema(fileGoal{}, "a further objective")}
}

// JSONSchema is a list of constraints, each with one bound.
func (fileConstraints) JSONSchema() *jsonschema.Schema {
	item := longSchema(fileConstraint{}, "a constraint")
	item.OneOf = []*jsonschema.Schema{need("at_most"), need("at_least")}
	return &jsonschema.Schema{Type: "array", Items: item}
}

// JSONSchemaExtend says how a duration is written.
func (fileBudget) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "wall_clock").Pattern = durationPattern
}

// longSchema is the schema of a file struct inside another one.
func longSchema(form any, title string) *jsonschema.Schema {
	s := reflector().Reflect(form)
	s.Version, s.Title = "", title
	return s
}

// JSONSchema is a mapping of knobs to scalars.
func (fileParams) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: scalarSchema(), PropertyNames: knobName()}
}

// JSONSchema is a mapping of variables to texts.
func (fileEnv) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: wordSchema()}
}

// JSONSchema is a mapping of metrics to columns.
func (fileColumns) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: wordSchema()}
}

// JSONSchema is a mapping of factors, each in short or long form.
func (fileFactors) JSONSchema() *jsonschema.Schema {
	short := levels{}.JSONSchema()
	short.Title = "levels"
	short.Description = "Values to compare, the baseline's among them."
	long := longSchema(fileFactor{}, "levels, range and requirements")
	return &jsonschema.Schema{Type: "object", PropertyNames: knobName(),
		AdditionalProperties: &jsonschema.Schema{OneOf: []*jsonschema.Schema{short, long}}}
}

// JSONSchema is a mapping of names to knobs.
func (fileVariants) JSONSchema() *jsonschema.Schema {
	knobs := fileParams{}.JSONSchema()
	least := uint64(1)
	knobs.MinProperties = &least
	return &jsonschema.Schema{Type: "object", AdditionalProperties: knobs, PropertyNames: &jsonschema.Schema{Pattern: variantRule.String()}}
}

func knobName() *jsonschema.Schema { return &jsonschema.Schema{Pattern: `^[^ \t\r\n=,]+$`} }
