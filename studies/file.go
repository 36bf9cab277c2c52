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
	Name         string          `json:"name" jsonschema:"required" jsonschema_description:"Name of the study: letters, digits, dot, dash and underscore. It names the study in the database and its folder."`
	Description  string          `json:"description" jsonschema_description:"The question that the study answers, in a sentence."`
	Objective    fileObjective   `json:"objective" jsonschema_description:"What is compared or searched for. Default: mAP50-95 of the last epoch on the validation split."`
	Trainer      fileTrainer     `json:"trainer" jsonschema:"required" jsonschema_description:"What trains, on what, for how long."`
	Baseline     fileParams      `json:"baseline" jsonschema_description:"Knobs of the trainer that every trial gets, unless a factor changes them. A knob that is not named keeps the trainer's default."`
	Factors      fileFactors     `json:"factors" jsonschema_description:"What the study varies, in this order: a list of levels, or a mapping with levels, a range, or both. One of the levels is the baseline's value."`
	Variants     fileVariants    `json:"variants" jsonschema_description:"For design: variants, what is compared with the baseline: names, and the knobs that each changes, several at once if need be."`
	Design       fileDesign      `json:"design" jsonschema:"required" jsonschema_description:"one-factor: the baseline, then each other level alone. leave-one-out: every factor at its last level, then each put back to the baseline alone. factorial: every combination. fractional-factorial, plackett-burman: few combinations, chosen so that every factor's effect is estimated from all trials. latin-hypercube, sobol: points spread over the ranges, to screen them. variants: the baseline, then each configuration under variants. grid: every combination without a baseline. search: a sampler proposes the points. A mapping has the design under kind, with options."`
	Search       *fileSearch     `json:"search" jsonschema_description:"The sampler, for design: search."`
	Replicates   fileReplicates  `json:"replicates" jsonschema_description:"Trainings of each variant, each with another seed; the seeds are the same over all variants. A number (default 1; intervals need at least 2, useful ones 4 or more), or a mapping: how many, or until each variant is settled, and by which rules verdicts are given."`
	Tune         *fileTune       `json:"tune" jsonschema_description:"Tune every variant with the same budget before it is compared, several times over; replicates then train what was found, scored on objective.split."`
	StoreMatches *bool           `json:"store_matches" jsonschema_description:"Keep with each trial which detections matched which objects, picture by picture: scores of parts of the pictures and the uncertainty over pictures come from it. Default: true."`
	Seed         int64           `json:"seed" jsonschema:"default=0,minimum=0" jsonschema_description:"Seed of the whole study: replicate seeds and the sampler come from it."`
	Constraints  fileConstraints `json:"constraints" jsonschema_description:"Bounds of metrics, for design: search. A point that breaks one is infeasible and cannot be the best."`
	DataSplit    *fileDataSplit  `json:"data_split" jsonschema_description:"For design: search, what its trials are scored on, and what its result is confirmed on."`
	Budget       fileBudget      `json:"budget" jsonschema_description:"Bounds on what the study may use."`
	Keep         fileKeep        `json:"keep" jsonschema_description:"Which checkpoints stay on disk, over the whole study."`
}

type fileObjective struct {
	Metric    string    `json:"metric" jsonschema:"default=mAP50-95" jsonschema_description:"Metric as the trainer reports it: mAP50-95, mAP50, mAP75, mAP-small, precision, recall, AP/NAME, loss/box ..."`
	Direction string    `json:"direction" jsonschema:"enum=maximize,enum=minimize" jsonschema_description:"Which way is better. Default: maximize, and minimize for metrics that begin with loss, val-loss, time/ or model/."`
	Epoch     string    `json:"epoch" jsonschema:"default=last,enum=last,enum=best" jsonschema_description:"Read the metric after the last epoch, or at the best one. The best epoch flatters every trial: it is chosen on the split it is scored on."`
	BestBy    string    `json:"best_by" jsonschema_description:"With epoch: best, the metric that chooses the epoch; the objective is read there. Default: the objective itself. The official YOLOv9 chooses by fitness."`
	Split     string    `json:"split" jsonschema:"enum=val,enum=test" jsonschema_description:"Pictures that are scored. Default: val, or data_split.tune."`
	Also      fileGoals `json:"also" jsonschema_description:"Further objectives of a search, at most two: it looks for points of which none is better in all of them."`
}

type fileTrainer struct {
	Backend   string   `json:"backend" jsonschema:"required,enum=native,enum=command,enum=yolov9" jsonschema_description:"native: the detector in this program. yolov9: the official YOLOv9 code in a checkout of yours. command: any program of yours."`
	Model     string   `json:"model" jsonschema_description:"Model: gelan-n, gelan-t ... yolov9-e or the path of a model file of ours for native; gelan-t, yolov9-s ... or the path of a model file of theirs for yolov9."`
	Data      textList `json:"data" jsonschema_description:"Data set: builtin:digits, builtin:trees, or the path of a data.yaml, of a VOC or a COCO data set. A list makes one block of the design per data set."`
	ImageSize int      `json:"image_size" jsonschema:"minimum=32,maximum=8192" jsonschema_description:"Side of the square training picture in pixels. native: a multiple of the largest stride of the model (16 for gelan-n and 32 for the others that are built in). yolov9: a multiple of 32. Default for native: 640, and 128 for builtin data."`
	Epochs    int      `json:"epochs" jsonschema:"minimum=1" jsonschema_description:"Full length of a trial."`
	Batch     int      `json:"batch" jsonschema:"minimum=1" jsonschema_description:"Pictures in one optimiser step. Default for native: 16."`
	Device    string   `json:"device" jsonschema_description:"auto, cpu, cuda, or the GPUs that trials may lease: cuda:0, or several as cuda:0,2. auto takes GPUs where there are any. Default: cpu for native, whose results differ by device, else auto."`
	Weights   string   `json:"weights" jsonschema_description:"native: file of weights that every trial starts from: a checkpoint of the native trainer such as best.ckpt, a file of safetensors, or a .pt file of PyTorch. Default: random weights."`
	Command   words    `json:"command" jsonschema_description:"Program and arguments of the command trainer, one list item each."`
	Env       fileEnv  `json:"env" jsonschema_description:"Environment variables for the command, beside those that mapsweep sets."`
	Cache     string   `json:"cache" jsonschema_description:"native: decoded pictures that stay in memory: ram (all), none, or as much as 2GiB or 500MB; others are decoded again each time. It does not change results. Default: ram."`
	Loaders   *int     `json:"loaders" jsonschema:"minimum=0,maximum=64" jsonschema_description:"native: goroutines of a trial that make batches ahead of the steps. They do not change results. Default: 1 for a trial with more than one core, else 0."`
	Threads   int      `json:"threads" jsonschema:"minimum=0,maximum=256" jsonschema_description:"native: threads that share the work of a trial's steps. They do not change results. Default: as many as the trial has cores, the machine's cores divided by the trials at a time."`
	Precision string   `json:"precision" jsonschema:"enum=fp32,enum=bf16" jsonschema_description:"native: numbers that convolutions multiply in training. bf16 is bfloat16 with sums, weights and everything else in float32: faster on a processor with AVX512_BF16, slower on others. Scoring is always in float32. Default: fp32."`
	Timeout   string   `json:"timeout" jsonschema_description:"Longest time of one trial: 90s, 45m, 2h30m. Default: none."`
	Checkout  string   `json:"checkout" jsonschema_description:"yolov9: folder of a checkout of the official code. Default: the environment variable YOLOV9_DIR."`
	Python    string   `json:"python" jsonschema_description:"yolov9: Python interpreter that can run that code. Default: the environment variable YOLOV9_PYTHON, else python3."`
	GPUs      int      `json:"gpus" jsonschema:"minimum=0" jsonschema_description:"GPUs of one trial. Default: one, or none with device: cpu."`
	COCO      bool     `json:"coco" jsonschema_description:"yolov9: also score the final weights by COCO average precision, under coco/mAP50-95 and so on."`

	Convolution string `json:"convolution" jsonschema:"enum=auto,enum=direct,enum=fastest" jsonschema_description:"native: how convolutions are computed. On the CPU auto uses Winograd's form for 3x3 ones with stride 1 where it is faster, direct does not; results differ by rounding. On a GPU both are mapsweep's kernels, and fastest is the faster of these and cuDNN's, as timed when a run starts: two processes may choose differently, and a choice is kept with its trial. fastest needs a GPU. Default: auto."`

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

type fileBudget struct {
	Parallel    int     `json:"parallel" jsonschema:"default=0,minimum=0" jsonschema_description:"Trials at once. 0: one per core or device."`
	DeviceHours float64 `json:"device_hours" jsonschema:"default=0,minimum=0" jsonschema_description:"Sum over all trials. 0: no limit."`
	Epochs      int     `json:"epochs" jsonschema:"default=0,minimum=0" jsonschema_description:"Epochs, summed over all trials. 0: no limit."`
	WallClock   string  `json:"wall_clock" jsonschema_description:"Time since the first trial began: 90m, 12h. Default: no limit."`
}

type fileKeep struct {
	Best int `json:"best" jsonschema:"default=3,minimum=0" jsonschema_description:"Checkpoints of this many best trials."`
	Last int `json:"last" jsonschema:"default=1,minimum=0" jsonschema_description:"Checkpoints of this many latest trials."`
}

// designOptions is the long form of design.
type designOptions struct {
	Kind       string `json:"kind" jsonschema:"required,enum=one-factor,enum=leave-one-out,enum=factorial,enum=fractional-factorial,enum=plackett-burman,enum=latin-hypercube,enum=sobol,enum=variants,enum=grid,enum=search" jsonschema_description:"Name of the design."`
	Resolution int    `json:"resolution" jsonschema:"minimum=3" jsonschema_description:"fractional-factorial: least resolution. 3: main effects may be confused with interactions of two; 4: they are not; 5: neither are interactions of two. Before fold-over. Default: 4, and 3 with fold_over."`
	Generators words  `json:"generators" jsonschema_description:"fractional-factorial: how the later factors follow from the earlier ones, for instance [E=ABC, F=BCD]; letters stand for the factors in their order, without I; or with names, mixup = mosaic*lr0. Default: chosen for the highest resolution."`
	FoldOver   bool   `json:"fold_over" jsonschema_description:"fractional-factorial, plackett-burman: all runs once more with every factor turned, which frees main effects from interactions of two."`
	Runs       int    `json:"runs" jsonschema:"minimum=2" jsonschema_description:"Points before replicates and fold-over. fractional-factorial: a power of 2; plackett-burman: a multiple of 4; latin-hypercube, sobol: any number (required)."`
}

// replicateOptions is the long form of replicates.
type replicateOptions struct {
	Count      int      `json:"count" jsonschema:"minimum=1" jsonschema_description:"Trainings of each variant. Default: 1. Not together with until."`
	Until      string   `json:"until" jsonschema:"enum=settled" jsonschema_description:"settled: a variant gets replicates until its verdict is settled or max is reached."`
	Max        int      `json:"max" jsonschema:"minimum=3" jsonschema_description:"until settled: most trainings of a variant. Default: 12."`
	Rule       string   `json:"rule" jsonschema:"enum=looks,enum=anytime" jsonschema_description:"until settled: looks: verdicts at planned numbers of replicates. anytime: after every replicate, by an e-process. Default: looks."`
	Looks      counts   `json:"looks" jsonschema_description:"rule looks: numbers of replicates at which verdicts are given. Default: [3, 5, 8, 12], up to max."`
	Margin     *float64 `json:"margin" jsonschema:"minimum=0" jsonschema_description:"Differences of the objective up to this are of no practical weight, in its stored unit: 0.002 are 0.2 points. Default: 0.002 for metrics that are fractions, else none."`
	Alpha      float64  `json:"alpha" jsonschema:"minimum=0" jsonschema_description:"Chance of a false verdict over the study; intervals have level 1 - alpha. Default: 0.05."`
	Correction string   `json:"correction" jsonschema:"enum=holm,enum=dunnett,enum=e-bh" jsonschema_description:"Correction for the number of variants. Default: holm for a number of replicates, the study's own rule until settled."`
}

type fileTune struct {
	Knobs       fileFactors `json:"knobs" jsonschema:"required" jsonschema_description:"What is tuned in every variant: ranges or levels, as under factors."`
	DeviceHours float64     `json:"device_hours" jsonschema:"required,minimum=0" jsonschema_description:"Budget of one tuning, the same for every variant."`
	Repeats     int         `json:"repeats" jsonschema:"default=3,minimum=1" jsonschema_description:"Independent tunings of each variant. With 1 the variance of tuning stays unknown."`
	Trials      int         `json:"trials" jsonschema:"default=1000,minimum=1" jsonschema_description:"Most trials of one tuning."`
	Sampler     string      `json:"sampler" jsonschema:"default=tpe,enum=random,enum=tpe,enum=goptuna-tpe,enum=cmaes,enum=sobol,enum=gp,enum=nsga2,enum=grid" jsonschema_description:"Who proposes the points."`
	Pruner      string      `json:"pruner" jsonschema:"default=none,enum=none,enum=median,enum=percentile,enum=patient,enum=threshold,enum=wilcoxon,enum=successive-halving,enum=asha,enum=hyperband" jsonschema_description:"Who stops trials that look bad after some epochs."`
	Split       string      `json:"split" jsonschema:"default=val,enum=val,enum=test" jsonschema_description:"Pictures that tuning is scored on; another split than objective.split."`
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
	counts      []int             // a list of whole numbers

	fileDesign     struct{ designOptions }    // the name of a design, or a mapping
	fileReplicates struct{ replicateOptions } // a number, or a mapping
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
		Objective: Objective{Metric: f.Objective.Metric, Direction: direction(f.Objective.Metric, f.Objective.Direction),
			Epoch: f.Objective.Epoch, BestBy: f.Objective.BestBy, Split: f.Objective.Split, Also: f.Objective.Also.goals()},
		Trainer:     f.Trainer.spec(),
		Baseline:    trials.Params(f.Baseline),
		Design:      f.Design.Kind,
		Layout:      f.Design.layout(),
		Replicates:  f.Replicates.most(),
		Settle:      f.Replicates.settle(),
		Rules:       Rules{Margin: f.Replicates.Margin, Alpha: f.Replicates.Alpha, Correction: f.Replicates.Correction},
		NoMatches:   f.StoreMatches != nil && !*f.StoreMatches,
		Seed:        f.Seed,
		Search:      f.Search.spec(),
		Constraints: f.Constraints.constraints(),
		Budget:      Budget(f.Budget),
		Keep:        Keep(f.Keep),
	}
	if s.Baseline == nil {
		s.Baseline = trials.Params{}
	}
	if f.DataSplit != nil {
		split := DataSplit(*f.DataSplit)
		s.DataSplit = &split
		s.Objective.Split = cmp.Or(s.Objective.Split, split.Tune)
	}
	s.Objective.Split = cmp.Or(s.Objective.Split, defaultSplit)
	if t := f.Tune; t != nil {
		s.Tune = &Tune{Knobs: t.Knobs.factors(), DeviceHours: t.DeviceHours, Repeats: t.Repeats, Trials: t.Trials,
			Sampler: t.Sampler, Pruner: t.Pruner, Split: t.Split}
	}
	s.Factors = f.Factors.factors()
	if s.Variants = f.Variants; s.Design == DesignVariants && len(s.Factors) == 0 {
		s.Factors = variantFactors(s.Baseline, s.Variants)
	}
	for _, n := range f.Factors {
		if _, named := s.Baseline[n.name]; !named && len(n.Levels) > 0 {
			s.Baseline[n.name] = n.Levels[0]
		}
	}
	return s
}

func (fs fileFactors) factors() []Factor {
	var out []Factor
	for _, n := range fs {
		out = append(out, Factor{Name: n.name, Levels: n.Levels, Low: n.Low, High: n.High,
			Step: n.Step, Log: n.Log, Int: n.Int, Requires: trials.Params(n.Requires)})
	}
	return out
}

// layout is the options of the design, nil if there are none.
func (o designOptions) layout() *Layout {
	l := Layout{Resolution: o.Resolution, Generators: o.Generators, FoldOver: o.FoldOver, Runs: o.Runs}
	if l.Resolution == 0 && len(l.Generators) == 0 && !l.FoldOver && l.Runs == 0 {
		return nil
	}
	return &l
}

// most is the number of replicates, or their largest number.
func (o replicateOptions) most() int {
	if o.Until != "" {
		return cmp.Or(o.Max, defaultMost)
	}
	return cmp.Or(o.Count, 1)
}

// settle says how replicates are added until a variant is settled; nil for a fixed number.
func (o replicateOptions) settle() *Settle {
	if o.Until == "" {
		return nil
	}
	s := &Settle{Rule: cmp.Or(o.Rule, RuleLooks)}
	if s.Rule == RuleAnytime {
		return s
	}
	looks, most := []int(o.Looks), o.most()
	if looks == nil {
		looks = defaultLooks
	}
	for _, n := range looks {
		if n < most || o.Looks != nil {
			s.Looks = append(s.Looks, n)
		}
	}
	if o.Looks == nil {
		s.Looks = append(s.Looks, most)
	}
	return s
}

func (t fileTrainer) spec() Trainer {
	s := Trainer{Backend: t.Backend, Model: t.Model, Data: t.Data, ImageSize: t.ImageSize, Epochs: t.Epochs,
		Batch: t.Batch, Device: t.Device, Weights: t.Weights, Command: t.Command, Env: t.Env, Cache: t.Cache, Loaders: t.Loaders, Threads: t.Threads, Precision: t.Precision, Convolution: t.Convolution, Timeout: t.Timeout,
		Checkout: t.Checkout, Python: t.Python, GPUs: t.GPUs, COCO: t.COCO}
	t.io(&s)
	if t.Backend != BackendNative {
		s.Device = cmp.Or(t.Device, "auto")
	} else {
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

// defaultSplit is what a study is scored on that says nothing of it.
const defaultSplit = "val"

// Defaults of replicates until settled (docs/STATISTICS.md).
const defaultMost = 12

var defaultLooks = []int{3, 5, 8, 12}
