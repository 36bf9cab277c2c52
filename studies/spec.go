package studies

import (
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// Spec is a decoded study file: defaults filled in, overrides applied.
type Spec struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Objective   Objective     `json:"objective"`
	Trainer     Trainer       `json:"trainer"`
	Baseline    trials.Params `json:"baseline"`
	Factors     []Factor      `json:"factors,omitempty"`  // in file order; of DesignVariants: the knobs that variants change
	Variants    []Variant     `json:"variants,omitempty"` // of DesignVariants, in file order
	Design      string        `json:"design"`             // one of the Design constants
	Search      *Search       `json:"search,omitempty"`   // read by DesignSearch only
	Layout      *Layout       `json:"layout,omitempty"`   // options of the design; nil: its defaults
	Replicates  int           `json:"replicates"`         // of each variant; with Settle the most of them
	Settle      *Settle       `json:"settle,omitempty"`   // nil: as many as Replicates
	Rules       Rules         `json:"rules,omitzero"`
	Tune        *Tune         `json:"tune,omitempty"`       // nil: variants are compared as they are
	NoMatches   bool          `json:"no_matches,omitempty"` // do not keep which detections matched
	Seed        int64         `json:"seed"`
	Constraints []Constraint  `json:"constraints,omitempty"`
	DataSplit   *DataSplit    `json:"data_split,omitempty"` // of DesignSearch; nil: all is scored on Objective.Split
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
	DesignVariants    = "variants"      // the baseline, and named configurations against it

	DesignFractional     = "fractional-factorial" // a regular fraction of the two-level factorial
	DesignPlackettBurman = "plackett-burman"      // main effects of two-level factors in a multiple of 4 runs
	DesignLatinHypercube = "latin-hypercube"      // points spread over ranges, each stratum of a factor once
	DesignSobol          = "sobol"                // points of a scrambled Sobol sequence over ranges
)

// Rules of Settle.
const (
	RuleLooks   = "looks"   // verdicts at planned numbers of replicates, alpha shared out among them
	RuleAnytime = "anytime" // verdicts after every replicate, by an e-process
)

// Corrections for the number of variants.
const (
	CorrectionHolm    = "holm"
	CorrectionDunnett = "dunnett"
	CorrectionEBH     = "e-bh"
)

// Layout are options of a design.
type Layout struct {
	Resolution int      `json:"resolution,omitempty"` // least one of a fractional factorial; 0: chosen
	Generators []string `json:"generators,omitempty"` // "E=ABC", letters by the order of factors; nil: chosen
	FoldOver   bool     `json:"fold_over,omitempty"`
	Runs       int      `json:"runs,omitempty"` // before fold-over and replicates; 0: chosen
}

// Settle says how replicates are added until a variant is settled.
type Settle struct {
	Rule  string `json:"rule"`            // looks or anytime
	Looks []int  `json:"looks,omitempty"` // rising numbers of replicates, the last is Spec.Replicates; rule looks only
}

// First is the number of replicates before the first look: with fewer no verdict is possible.
func (s Settle) First() int {
	if len(s.Looks) > 0 {
		return s.Looks[0]
	}
	return 3
}

// Rules say how verdicts are given. They are part of the study from its first trial on.
type Rules struct {
	Margin     *float64 `json:"margin,omitempty"`     // nil: the metric's own, see Spec.Margin
	Alpha      float64  `json:"alpha,omitempty"`      // 0: 0.05
	Correction string   `json:"correction,omitempty"` // "": by the design
}

// Level is the chance of a false verdict over the study.
func (r Rules) Level() float64 {
	if r.Alpha > 0 {
		return r.Alpha
	}
	return 0.05
}

// Tune says how every variant is tuned before it is compared (docs/STATISTICS.md).
type Tune struct {
	Knobs       []Factor `json:"knobs"`        // tuned in every variant, in file order
	DeviceHours float64  `json:"device_hours"` // budget of one tuning
	Repeats     int      `json:"repeats"`      // independent tunings of each variant
	Trials      int      `json:"trials"`       // most trials of one tuning
	Sampler     string   `json:"sampler"`
	Pruner      string   `json:"pruner"`
	Split       string   `json:"split"` // that tuning is scored on
}

// pointsMargin is the margin of metrics that are fractions: 0.2 points.
const pointsMargin = 0.002

// Margin is the half-width of the band inside which effects on the objective are of no practical weight, in the
// metric's stored unit; 0: none declared.
func (s Spec) Margin() float64 {
	switch {
	case s.Rules.Margin != nil:
		return *s.Rules.Margin
	case IsFraction(s.Objective.Metric):
		return pointsMargin
	}
	return 0
}

// Screens says that the design spreads points over the factors, to be read by main effects or importance and not
// arm by arm against a reference.
func (s Spec) Screens() bool {
	switch s.Design {
	case DesignFractional, DesignPlackettBurman, DesignLatinHypercube, DesignSobol:
		return true
	}
	return false
}

// Referenced says that the design has a reference arm, against which effects are read.
func (s Spec) Referenced() bool {
	switch s.Design {
	case DesignOneFactor, DesignLeaveOneOut, DesignFactorial, DesignVariants:
		return true
	}
	return false
}

// Ranges says that the design takes the values of a factor from its range, and not from its levels.
func (s Spec) Ranges(f Factor) bool {
	spread := s.Design == DesignSearch || s.Design == DesignLatinHypercube || s.Design == DesignSobol
	return spread && f.Low != nil && f.High != nil
}

// IsFraction says that a metric lies between 0 and 1 and is shown in points (percent).
func IsFraction(metric string) bool {
	k := strings.TrimPrefix(strings.ToLower(metric), "coco/")
	for _, p := range []string{"map", "ap/", "ap-", "ap50", "ap75", "ar-", "ar/", "ar1"} {
		if strings.HasPrefix(k, p) {
			return true
		}
	}
	switch k {
	case "ap", "ar", "precision", "recall", "f1", "fitness":
		return true
	}
	return false
}

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
	Also      []trials.Goal    `json:"also,omitempty"`    // further objectives of a search, in order
}

// Goals are all objectives, the first one first.
func (o Objective) Goals() []trials.Goal {
	return append([]trials.Goal{{Metric: o.Metric, Direction: o.Direction}}, o.Also...)
}

// Chooser is the metric by which the best epoch is chosen, and which way it is better: the objective, or BestBy,
// which is better when it is larger, unless it is a loss, a time or a size.
func (o Objective) Chooser() (metric string, dir trials.Direction) {
	switch {
	case o.BestBy == "" || o.BestBy == o.Metric:
		return o.Metric, o.Direction
	case isCost(o.BestBy):
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
	Device    string            `json:"device,omitempty"`  // auto, cpu, cuda, cuda:0, cuda:0,2; "" of native: cpu
	Weights   string            `json:"weights,omitempty"` // native: file that every trial starts from
	Command   []string          `json:"command,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Cache     string            `json:"cache,omitempty"`     // native: see CacheBytes
	Loaders   *int              `json:"loaders,omitempty"`   // native: goroutines that make batches; nil: as the trainer sees fit
	Threads   int               `json:"threads,omitempty"`   // native: threads of a step; 0: the trial's cores
	Precision string            `json:"precision,omitempty"` // native: fp32 ("") or bf16
	Timeout   string            `json:"timeout,omitempty"`   // Go duration, per trial
	Checkout  string            `json:"checkout,omitempty"`  // yolov9: folder of the official code; "": $YOLOV9_DIR
	Python    string            `json:"python,omitempty"`    // yolov9: interpreter; "": $YOLOV9_PYTHON, else python3
	GPUs      int               `json:"gpus,omitempty"`      // GPUs of one trial; 0: one, if there are any
	COCO      bool              `json:"coco,omitempty"`      // yolov9: score the final weights by COCO AP, too

	Convolution string `json:"convolution,omitempty"` // native: auto (""), direct, or fastest of a GPU

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
	Sampler        string          `json:"sampler"` // random, tpe, goptuna-tpe, cmaes, sobol, gp, nsga2, grid
	SamplerOptions trials.Params   `json:"sampler_options,omitempty"`
	Trials         int             `json:"trials"`
	Pruner         string          `json:"pruner"` // none, median, percentile, patient, threshold, wilcoxon, successive-halving, asha, hyperband
	PrunerOptions  trials.Params   `json:"pruner_options,omitempty"`
	Fix            trials.Params   `json:"fix,omitempty"`        // factors that keep a value for now: the rest is searched
	Forbid         []trials.Params `json:"forbid,omitempty"`     // no point may have all values of one of these
	Try            []trials.Params `json:"try,omitempty"`        // points that come first
	WarmStart      []string        `json:"warm_start,omitempty"` // studies whose finished trials the sampler sees beforehand
	Stop           *Stop           `json:"stop,omitempty"`       // ends of a search besides its trials and the budget
}

// Stop ends a search early; zero values do not.
type Stop struct {
	NoImprovement int     `json:"no_improvement,omitempty"` // finished points in a row without a better one
	Expected      float64 `json:"expected,omitempty"`       // largest expected improvement below which it ends, in the objective's unit
}

// Constraint bounds a metric: a point that breaks it is infeasible, and cannot be the best.
type Constraint struct {
	Metric  string   `json:"metric"`
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
}

// DataSplit keeps what a search is scored on apart from what its result is reported on.
type DataSplit struct {
	Tune   string `json:"tune"`   // val, test: what trials of the search are scored on
	Report string `json:"report"` // what the confirmation of the best is scored on
}

// Budget bounds a study.
type Budget struct {
	Parallel    int     `json:"parallel"`             // trials at once; 0: one per core
	DeviceHours float64 `json:"device_hours"`         // sum over trials; 0: no limit
	Epochs      int     `json:"epochs,omitempty"`     // sum over trials; 0: no limit
	WallClock   string  `json:"wall_clock,omitempty"` // Go duration from the first trial's start on; "": no limit
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
