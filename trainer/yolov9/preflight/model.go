package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Kind says which of the official training scripts fits a model.
type Kind string

// The kinds, by the branches of the model's head.
const (
	Single Kind = "single" // train.py: GELAN
	Dual   Kind = "dual"   // train_dual.py: an auxiliary branch (PGI)
	Triple Kind = "triple" // train_triple.py: a coarse branch too
)

// Train is the name of the training script.
func (k Kind) Train() string { return "train" + k.suffix() + ".py" }

// Val is the name of the validation script.
func (k Kind) Val() string { return "val" + k.suffix() + ".py" }

func (k Kind) suffix() string {
	switch k {
	case Dual:
		return "_dual"
	case Triple:
		return "_triple"
	}
	return ""
}

// heads maps the class of a model's last layer to the kind of script that trains it.
var heads = map[string]Kind{
	"Detect": Single, "DDetect": Single,
	"DualDetect": Dual, "DualDDetect": Dual,
	"TripleDetect": Triple, "TripleDDetect": Triple,
}

// Model is a model file of the official code.
type Model struct {
	Path   string `json:"path"`
	Name   string `json:"name"` // the file's name without .yaml
	Kind   Kind   `json:"kind"`
	Head   string `json:"head"`   // class of the last layer
	Params int    `json:"params"` // parameters with 80 classes, training form; 0: unknown
}

// Script resolves a model by name or path, as the official code does, and says which script fits it. A script that
// does not fit fails in its first step with an error that names neither (facts: a wrong shape, or a missing method).
func Script(checkout, cfg string) (Kind, string, error) {
	m, err := ReadModel(checkout, cfg)
	return m.Kind, m.Path, err
}

// ReadModel resolves a model by name or path and reads its head.
func ReadModel(checkout, cfg string) (Model, error) {
	if ext := strings.ToLower(filepath.Ext(cfg)); ext != "" && ext != ".yaml" && ext != ".yml" {
		// "gelan-t" has no extension; "v1.2" looks like one, as it does to the official code.
		return Model{}, fmt.Errorf("read model %s: the official code takes .yaml files only", cfg)
	}
	at, err := Find(checkout, cfg)
	if err != nil {
		return Model{}, fmt.Errorf("read model: %w", err)
	}
	m := Model{Path: at, Name: strings.TrimSuffix(filepath.Base(at), filepath.Ext(at))}
	if m.Head, err = headOf(at); err != nil {
		return m, fmt.Errorf("read model %s: %w", at, err)
	}
	kind, ok := heads[m.Head]
	if !ok {
		return m, fmt.Errorf("read model %s: its last layer is %s: %s", at, m.Head, why(m.Head))
	}
	m.Kind = kind
	if s, ok := sizes[m.Name]; ok {
		m.Params = s.params
	}
	return m, nil
}

// why says what is known of a head that no script here trains.
func why(head string) string {
	known := make([]string, 0, len(heads))
	for h := range heads {
		known = append(known, h)
	}
	slices.Sort(known)
	switch {
	case strings.Contains(head, "Segment") || strings.Contains(head, "Panoptic"):
		return "that is a head of segment/ or panoptic/, which mapsweep does not drive; want one of " + strings.Join(known, ", ")
	case head == "Classify":
		return "that is a head of classify/, which mapsweep does not drive; want one of " + strings.Join(known, ", ")
	}
	return "no training script of the official code is known for it; want one of " + strings.Join(known, ", ")
}

// headOf returns the class of the last layer of a model file.
func headOf(at string) (string, error) {
	b, err := os.ReadFile(at)
	if err != nil {
		return "", cause(err)
	}
	var file struct {
		Backbone []any `yaml:"backbone"`
		Head     []any `yaml:"head"`
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return "", fmt.Errorf("not a model file: %w", err)
	}
	layers := append(slices.Clone(file.Backbone), file.Head...)
	if file.Backbone == nil || file.Head == nil || len(layers) == 0 {
		return "", errors.New("not a model file: it needs backbone and head, lists of layers")
	}
	last, ok := layers[len(layers)-1].([]any)
	if !ok || len(last) != 4 {
		return "", errors.New("not a model file: its last layer is not [from, number, class, arguments]")
	}
	head, ok := last[2].(string)
	if !ok {
		return "", fmt.Errorf("not a model file: the class of its last layer is %v", last[2])
	}
	return strings.TrimPrefix(head, "nn."), nil
}

// judgeModel reads a model and makes the faults of it.
func judgeModel(checkout, cfg string) (Model, Faults) {
	m, err := ReadModel(checkout, cfg)
	if err != nil {
		return m, Faults{one(Error, AreaModel, "model", cfg, "name a model of models/detect, such as yolov9-t.yaml, in trainer.model", "%v", err)}
	}
	if !isFile(filepath.Join(checkout, m.Kind.Train())) {
		return m, Faults{one(Error, AreaModel, "model-script", m.Path, "restore it from the official code", "the model's head is %s, which %s trains, and that script is missing", m.Head, m.Kind.Train())}
	}
	if _, ok := sizes[m.Name]; !ok {
		return m, Faults{one(Note, AreaModel, "model-size", m.Path, "", "the size of this model is not known, so disk and GPU memory are not estimated")}
	}
	return m, nil
}

// size is what a model of the official code needs. params counts parameters with 80 classes in training form. bytes
// is what training keeps of each pixel of input for the backward pass, in fp32: testdata/activations.py measured it
// on the CPU with torch 2.5.1 and 2 pictures of 256 x 256 pixels.
type size struct {
	params int
	bytes  float64
}

var sizes = map[string]size{
	"gelan-t":   {2_442_640, 685.7},
	"yolov9-t":  {3_717_680, 947.8},
	"gelan-s":   {7_226_208, 1264.7},
	"yolov9-s":  {9_804_512, 1694.2},
	"gelan-m":   {20_124_000, 2179.0},
	"yolov9-m":  {32_878_432, 3681.5},
	"gelan-c":   {25_498_752, 2810.8},
	"yolov9-c":  {51_182_080, 4935.7},
	"gelan-e":   {58_114_432, 5288.0},
	"yolov9-e":  {69_529_664, 6119.5},
	"yolov9-cf": {56_734_400, 5093.4},
	"yolov7-af": {43_589_728, 2884.6},
	"gelan":     {31_462_528, 2012.2},
	"yolov9":    {60_979_712, 3489.0},
}
