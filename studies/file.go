package studies

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// The structs below are the study file: its keys, which of them are required,
// their defaults and bounds. The decoder (decode.go) and the JSON Schema
// (schema.go) both read the tags, so that an editor and the program agree.

type fileStudy struct {
	Name        string        `json:"name" jsonschema:"required" jsonschema_description:"Name of the study: letters, digits, dot, dash and underscore. It names the study in the database and its folder."`
	Description string        `json:"description" jsonschema_description:"The question that the study answers, in a sentence."`
	Objective   fileObjective `json:"objective" jsonschema_description:"What is compared or searched for. Default: mAP50-95 of the last epoch on the validation split."`
	Trainer     fileTrainer   `json:"trainer" jsonschema:"required" jsonschema_description:"What trains, on what, for how long."`
	Baseline    fileParams    `json:"baseline" jsonschema_description:"Knobs of the trainer that every trial gets, unless a factor changes them. A knob that is not named keeps the trainer's default."`
	Factors     fileFactors   `json:"factors" jsonschema_description:"What the study varies, in this order: a list of levels, or a mapping with levels, a range, or both. One of the levels is the baseline's value."`
	Design      string        `json:"design" jsonschema:"required,enum=one-factor,enum=leave-one-out,enum=factorial,enum=grid,enum=search" jsonschema_description:"one-factor: the baseline, then each other level alone. leave-one-out: every factor at its last level, then each put back to the baseline alone. factorial: every combination. grid: the same points without a baseline. search: a sampler proposes the points."`
	Search      *fileSearch   `json:"search" jsonschema_description:"The sampler, for design: search."`
	Replicates  int           `json:"replicates" jsonschema:"default=1,minimum=1" jsonschema_description:"Trainings of each variant, each with another seed; the seeds are the same over all variants. Intervals need at least 2, useful ones 4 or more."`
	Seed        int64         `json:"seed" jsonschema:"default=0,minimum=0" jsonschema_description:"Seed of the whole study: replicate seeds and the sampler come from it."`
	Budget      fileBudget    `json:"budget" jsonschema_description:"Bounds on what the study may use."`
	Keep        fileKeep      `json:"keep" jsonschema_description:"Which checkpoints stay on disk, over the whole study."`
}

type fileObjective struct {
	Metric    string `json:"metric" jsonschema:"default=mAP50-95" jsonschema_description:"Metric as the trainer reports it: mAP50-95, mAP50, mAP75, mAP-small, precision, recall, AP/NAME, loss/box ..."`
	Direction string `json:"direction" jsonschema:"enum=maximize,enum=minimize" jsonschema_description:"Which way is better. Default: maximize, and minimize for metrics that begin with loss, val-loss or time."`
	Epoch     string `json:"epoch" jsonschema:"default=last,enum=last,enum=best" jsonschema_description:"Read the metric after the last epoch, or at the best one. The best epoch flatters every trial: it is chosen on the split it is scored on."`
	BestBy    string `json:"best_by" jsonschema_description:"With epoch: best, the metric that chooses the epoch; the objective is read there. Default: the objective itself. The official YOLOv9 chooses by fitness."`
	Split     string `json:"split" jsonschema:"default=val,enum=val,enum=test" jsonschema_description:"Pictures that are scored."`
}

type fileTrainer struct {
	Backend   string   `json:"backend" jsonschema:"required,enum=native,enum=command,enum=yolov9" jsonschema_description:"native: the detector in this program. yolov9: the official YOLOv9 code in a checkout of yours. command: any program of yours."`
	Model     string   `json:"model" jsonschema_description:"Model: gelan-n for native; gelan-t, yolov9-s ... or the path of a model file for yolov9."`
	Data      textList `json:"data" jsonschema_description:"Data set: builtin:digits, builtin:trees, or the path of a data.yaml, of a VOC or a COCO data set. A list makes one block of the design per data set."`
	ImageSize int      `json:"image_size" jsonschema:"minimum=32" jsonschema_description:"Side of the square training picture in pixels, a multiple of 32. Default for native: 640, and 128 for builtin data."`
	Epochs    int      `json:"epochs" jsonschema:"minimum=1" jsonschema_description:"Full length of a trial."`
	Batch     int      `json:"batch" jsonschema:"minimum=1" jsonschema_description:"Pictures in one optimiser step. Default for native: 16."`
	Device    string   `json:"device" jsonschema:"default=auto" jsonschema_description:"auto, cpu, cuda, or the GPUs that trials may lease: cuda:0, or several as cuda:0,2. auto takes GPUs where there are any."`
	Command   words    `json:"command" jsonschema_description:"Program and arguments of the command trainer, one list item each."`
	Env       fileEnv  `json:"env" jsonschema_description:"Environment variables for the command, beside those that mapsweep sets."`
	Timeout   string   `json:"timeout" jsonschema_description:"Longest time of one trial: 90s, 45m, 2h30m. Default: none."`
	Checkout  string   `json:"checkout" jsonschema_description:"yolov9: folder of a checkout of the official code. Default: the environment variable YOLOV9_DIR."`
	Python    string   `json:"python" jsonschema_description:"yolov9: Python interpreter that can run that code. Default: the environment variable YOLOV9_PYTHON, else python3."`
	GPUs      int      `json:"gpus" jsonschema:"minimum=0" jsonschema_description:"GPUs of one trial. Default: one, or none with device: cpu."`
	COCO      bool     `json:"coco" jsonschema_description:"yolov9: also score the final weights by COCO average precision, under coco/mAP50-95 and so on."`

	Arguments  *fileArguments  `json:"arguments" jsonschema_description:"command: how parameters become arguments, which stand where the command says {args}."`
	Metrics    *fileMetrics    `json:"metrics" jsonschema_description:"command: where the measurements are. Default: JSON lines in the file that MAPSWEEP_METRICS names."`
	Checkpoint *fileCheckpoint `json:"checkpoint" jsonschema_description:"command: the file that the program can go on from, if it does not name one in its metrics."`
}

type fileArguments struct {
	Each    string  `json:"each" jsonschema:"required" jsonschema_description:"Form of a parameter: --{flag} {value}, --{flag}={value}, {name}={value}. {flag} is the name with dashes for underscores; a blank in the form separates two arguments."`
	IfTrue  *string `json:"if_true" jsonschema_description:"Form of a parameter that is true. Default: --{flag} where each begins with a dash, else each."`
	IfFalse *string `json:"if_false" jsonschema_description:"Form of a parameter that is false, for instance --no-{flag}; empty: it is left out. Default: left out where each begins with a dash, else each."`
}

type fileMetrics struct {
	Format  string      `json:"format" jsonschema:"default=jsonl,enum=jsonl,enum=csv" jsonschema_description:"jsonl: a JSON object a line. csv: a table with a row per epoch."`
	File    string      `json:"file" jsonschema_description:"csv: the table, relative to the trial's folder; placeholders as in the command."`
	Epoch   string      `json:"epoch" jsonschema_description:"csv: column with the number of the epoch. Default: epoch."`
	First   *int        `json:"first" jsonschema:"minimum=0" jsonschema_description:"csv: number of the first epoch in that column, 0 or 1. Default: 1."`
	Columns fileColumns `json:"columns" jsonschema_description:"csv: metrics and the columns that they are read from, for instance {mAP50: metrics/mAP50(B)}."`
}

type fileCheckpoint struct {
	File   string `json:"file" jsonschema:"required" jsonschema_description:"The checkpoint, relative to the trial's folder; placeholders as in the command. The program writes it after the epoch's measurement."`
	Resume words  `json:"resume" jsonschema_description:"Command that goes on from {resume}. Default: the command itself, which finds it in MAPSWEEP_RESUME."`
}

type fileFactor struct {
	Levels   levels     `json:"levels" jsonschema_description:"Values to compare. One of them is the baseline's; if the baseline does not name the factor, the first one becomes its value."`
	Low      *float64   `json:"low" jsonschema_description:"Lower end of the range of a search, included."`
	High     *float64   `json:"high" jsonschema_description:"Upper end of the range of a search, included."`
	Step     float64    `json:"step" jsonschema:"minimum=0" jsonschema_description:"Distance between the values of the range, counted from low. Default: any value."`
	Log      bool       `json:"log" jsonschema_description:"Sample the range on a logarithmic scale. Needs low above 0."`
	Int      bool       `json:"int" jsonschema_description:"The range has whole numbers only."`
	Requires fileParams `json:"requires" jsonschema_description:"Values that other knobs must have for this one to matter. A number other than 0 means on: any value but 0 meets it."`
}

type fileSearch struct {
	Sampler string `json:"sampler" jsonschema:"default=tpe,enum=random,enum=tpe,enum=cmaes,enum=sobol" jsonschema_description:"Who proposes the points."`
	Trials  int    `json:"trials" jsonschema:"required,minimum=1" jsonschema_description:"How many points are tried."`
	Pruner  string `json:"pruner" jsonschema:"default=none,enum=none,enum=median,enum=successive-halving" jsonschema_description:"Who stops trials that look bad after some epochs."`
}

type fileBudget struct {
	Parallel    int     `json:"parallel" jsonschema:"default=0,minimum=0" jsonschema_description:"Trials at once. 0: one per core or device."`
	DeviceHours float64 `json:"device_hours" jsonschema:"default=0,minimum=0" jsonschema_description:"Sum over all trials. 0: no limit."`
}

type fileKeep struct {
	Best int `json:"best" jsonschema:"default=3,minimum=0" jsonschema_description:"Checkpoints of this many best trials."`
	Last int `json:"last" jsonschema:"default=1,minimum=0" jsonschema_description:"Checkpoints of this many latest trials."`
}

// The forms that plain structs cannot say; each reads itself from a node and describes itself in the schema.
type (
	textList    []string          // one text or a list of texts
	words       []string          // a list of texts
	levels      []any             // a list of scalars
	fileParams  map[string]any    // scalars by knob
	fileEnv     map[string]string // texts by variable
	fileColumns map[string]string // columns by metric
	fileFactors []namedFactor     // factors in file order, in short or long form
)

type namedFactor struct {
	name string
	fileFactor
}

// spec brings a decoded file to the form that the other rooms use.
func (f fileStudy) spec() Spec {
	s := Spec{
		Name:        f.Name,
		Description: f.Description,
		Objective: Objective{Metric: f.Objective.Metric, Direction: f.Objective.direction(),
			Epoch: f.Objective.Epoch, BestBy: f.Objective.BestBy, Split: f.Objective.Split},
		Trainer:    f.Trainer.spec(),
		Baseline:   trials.Params(f.Baseline),
		Design:     f.Design,
		Replicates: f.Replicates,
		Seed:       f.Seed,
		Budget:     Budget(f.Budget),
		Keep:       Keep(f.Keep),
	}
	if s.Baseline == nil {
		s.Baseline = trials.Params{}
	}
	if f.Search != nil {
		search := Search(*f.Search)
		s.Search = &search
	}
	for _, n := range f.Factors {
		s.Factors = append(s.Factors, Factor{Name: n.name, Levels: n.Levels, Low: n.Low, High: n.High,
			Step: n.Step, Log: n.Log, Int: n.Int, Requires: trials.Params(n.Requires)})
		if _, named := s.Baseline[n.name]; !named && len(n.Levels) > 0 {
			s.Baseline[n.name] = n.Levels[0]
		}
	}
	return s
}

func (o fileObjective) direction() trials.Direction {
	switch {
	case o.Direction == "minimize", o.Direction == "" && isLoss(o.Metric):
		return trials.Minimize
	}
	return trials.Maximize
}

func (t fileTrainer) spec() Trainer {
	s := Trainer{Backend: t.Backend, Model: t.Model, Data: t.Data, ImageSize: t.ImageSize, Epochs: t.Epochs,
		Batch: t.Batch, Device: t.Device, Command: t.Command, Env: t.Env, Timeout: t.Timeout,
		Checkout: t.Checkout, Python: t.Python, GPUs: t.GPUs, COCO: t.COCO}
	t.io(&s)
	if t.Backend == BackendNative {
		if s.ImageSize == 0 {
			s.ImageSize = defaultImageSize
			if !slices.ContainsFunc(s.Data, func(d string) bool { return !strings.HasPrefix(d, "builtin:") }) {
				s.ImageSize = builtinImageSize
			}
		}
		if s.Batch == 0 {
			s.Batch = defaultBatch
		}
	}
	return s
}

// io brings over what says how a command takes parameters and gives measurements.
func (t fileTrainer) io(s *Trainer) {
	if a := t.Arguments; a != nil {
		args := Arguments(*a)
		s.Arguments = &args
	}
	if m := t.Metrics; m != nil {
		s.Metrics = &Metrics{Format: m.Format, File: m.File, Epoch: m.Epoch, Columns: m.Columns}
		if m.Format == FormatTable {
			s.Metrics.Epoch, s.Metrics.First = cmp.Or(m.Epoch, "epoch"), 1
		}
		if m.First != nil {
			s.Metrics.First = *m.First
		}
	}
	if c := t.Checkpoint; c != nil {
		s.Checkpoint = &Checkpoint{File: c.File, Resume: c.Resume}
	}
}

// Defaults of the native trainer; the command trainer gets what the file says, or nothing.
const (
	defaultImageSize = 640
	builtinImageSize = 128 // built-in pictures are made for it
	defaultBatch     = 16
)
