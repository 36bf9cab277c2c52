package studies

import (
	"slices"

	"github.com/mapsweep/mapsweep/trials"
)

// Spec is a decoded study file: defaults filled in, overrides applied.
type Spec struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Objective   Objective     `json:"objective"`
	Trainer     Trainer       `json:"trainer"`
	Baseline    trials.Params `json:"baseline"`
	Factors     []Factor      `json:"factors,omitempty"` // in file order
	Design      string        `json:"design"`            // one of the Design constants
	Search      *Search       `json:"search,omitempty"`  // read by DesignSearch only
	Replicates  int           `json:"replicates"`
	Seed        int64         `json:"seed"`
	Budget      Budget        `json:"budget"`
	Keep        Keep          `json:"keep"`
	Presets     []Preset      `json:"presets,omitempty"` // knobs of Baseline that the file left open
}

// Preset is a knob of the baseline that the study file left open and that got, before the first trial, a value that
// fits the machine. It is part of the study from then on, wherever the study goes on.
type Preset struct {
	Knob string `json:"knob"`
	Why  string `json:"why"` // the source of the value, for people
}

// The designs.
const (
	DesignOneFactor   = "one-factor"    // baseline, then each other level of each factor alone
	DesignLeaveOneOut = "leave-one-out" // all factors at their last level, then each put back alone
	DesignFactorial   = "factorial"     // every combination of levels of factors with two or more levels
	DesignGrid        = "grid"          // the same points as factorial, read as a search: no baseline contrast
	DesignSearch      = "search"        // a sampler proposes the points
)

// The backends that a study file can name.
const (
	BackendNative  = "native"
	BackendCommand = "command"
	BackendYOLOv9  = "yolov9" // the official code in a checkout of the user's
)

// Fixed says that the points are known before the first trial: every design but a search.
func (s Spec) Fixed() bool { return s.Design != DesignSearch }

// Factor finds a factor by name.
func (s Spec) Factor(name string) (Factor, bool) {
	for _, f := range s.Factors {
		if f.Name == name {
			return f, true
		}
	}
	return Factor{}, false
}

// Objective is one metric, which way it is better, and where it is read.
type Objective struct {
	Metric    string           `json:"metric"`            // e.g. mAP50-95
	Direction trials.Direction `json:"direction"`         // MAXIMIZE; the file says maximize
	Epoch     string           `json:"epoch"`             // "last" or "best"
	BestBy    string           `json:"best_by,omitempty"` // metric that chooses the best epoch; "": Metric itself
	Split     string           `json:"split"`             // "val" or "test"
}

// Chooser is the metric by which the best epoch is chosen, and which way it is better: the objective, or BestBy,
// which is better when it is larger, unless it is a loss or a time.
func (o Objective) Chooser() (metric string, dir trials.Direction) {
	switch {
	case o.BestBy == "" || o.BestBy == o.Metric:
		return o.Metric, o.Direction
	case isLoss(o.BestBy):
		return o.BestBy, trials.Minimize
	}
	return o.BestBy, trials.Maximize
}

// Trainer says what trains, on what, for how long.
type Trainer struct {
	Backend   string            `json:"backend"` // native, command, yolov9
	Model     string            `json:"model,omitempty"`
	Data      []string          `json:"data,omitempty"` // one block of the design per data set
	ImageSize int               `json:"image_size,omitempty"`
	Epochs    int               `json:"epochs"`
	Batch     int               `json:"batch,omitempty"`
	Device    string            `json:"device,omitempty"` // auto, cpu, cuda, cuda:0, cuda:0,2
	Command   []string          `json:"command,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Timeout   string            `json:"timeout,omitempty"`  // Go duration, per trial
	Checkout  string            `json:"checkout,omitempty"` // yolov9: folder of the official code; "": $YOLOV9_DIR
	Python    string            `json:"python,omitempty"`   // yolov9: interpreter; "": $YOLOV9_PYTHON, else python3
	GPUs      int               `json:"gpus,omitempty"`     // GPUs of one trial; 0: one, if there are any
	COCO      bool              `json:"coco,omitempty"`     // yolov9: score the final weights by COCO AP, too

	// Of backend command; nil means that the program keeps to the house's own ways.
	Arguments  *Arguments  `json:"arguments,omitempty"`
	Metrics    *Metrics    `json:"metrics,omitempty"`
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
}

// Arguments says how parameters become arguments of a command.
type Arguments struct {
	Each    string  `json:"each"`               // form of a parameter: "--{flag} {value}", "{name}={value}"
	IfTrue  *string `json:"if_true,omitempty"`  // form of one that is true; nil: the name alone if Each begins with a dash, else Each
	IfFalse *string `json:"if_false,omitempty"` // form of one that is false; nil: nothing if Each begins with a dash, else Each
}

// Metrics says where a command's measurements are.
type Metrics struct {
	Format  string            `json:"format"`          // one of the Format constants
	File    string            `json:"file,omitempty"`  // of a table; relative to the trial's folder
	Epoch   string            `json:"epoch,omitempty"` // column with the number of the epoch
	First   int               `json:"first"`           // number of the first epoch in that column: 0 or 1
	Columns map[string]string `json:"columns,omitempty"`
}

// The formats of metrics.
const (
	FormatLines = "jsonl" // a JSON object a line, in the file that the program is told
	FormatTable = "csv"   // a table with a row per epoch, in a file of the program's
)

// Checkpoint says what a command leaves to go on from.
type Checkpoint struct {
	File   string   `json:"file"`             // relative to the trial's folder
	Resume []string `json:"resume,omitempty"` // command that goes on; nil: the ordinary one
}

// Factor is one thing that a study varies: levels for designs, a range for search.
type Factor struct {
	Name     string        `json:"name"`
	Levels   []any         `json:"levels,omitempty"`
	Low      *float64      `json:"low,omitempty"`
	High     *float64      `json:"high,omitempty"`
	Step     float64       `json:"step,omitempty"`
	Log      bool          `json:"log,omitempty"`
	Int      bool          `json:"int,omitempty"` // range of whole numbers
	Requires trials.Params `json:"requires,omitempty"`
}

// Full is the level of the full configuration of a leave-one-out design: the last
// one that differs from the baseline's value, or that value if none does.
func (f Factor) Full(baseline any) any {
	for _, v := range slices.Backward(f.Levels) {
		if !trials.SameValue(v, baseline) {
			return v
		}
	}
	return baseline
}

// Value is a point of the factor's range as parameters hold it: whole numbers as int64.
func (f Factor) Value(x float64) any {
	if f.Int {
		return int64(x)
	}
	return x
}

// Search configures a sampler.
type Search struct {
	Sampler string `json:"sampler"` // random, tpe, cmaes, sobol
	Trials  int    `json:"trials"`
	Pruner  string `json:"pruner"` // none, median, successive-halving
}

// Budget bounds a study.
type Budget struct {
	Parallel    int     `json:"parallel"`     // trials at once; 0: one per core
	DeviceHours float64 `json:"device_hours"` // sum over trials; 0: no limit
}

// Keep says which checkpoints stay on disk, over the whole study.
type Keep struct {
	Best int `json:"best"`
	Last int `json:"last"`
}

// Space is the search space: factors with a range, or with levels as choices.
func (s Spec) Space() trials.Space {
	var sp trials.Space
	for _, f := range s.Factors {
		sp = append(sp, f.Param())
	}
	return sp
}

// Param is the factor as a dimension of a search space: its range if it has one, else its levels as choices.
func (f Factor) Param() trials.Param {
	p := trials.Param{Name: f.Name, Requires: f.Requires}
	if f.Low != nil && f.High != nil {
		p.Kind, p.Low, p.High, p.Step, p.Log = trials.Float, *f.Low, *f.High, f.Step, f.Log
		if f.Int {
			p.Kind = trials.Int
		}
		return p
	}
	p.Kind, p.Choices = trials.Categorical, f.Levels
	return p
}
