package diagnosis

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// Run is a trial as the rules see it.
type Run struct {
	Setting
	Number     int
	State      trials.State
	Class      string // of a failed trial
	Curve      []trials.Measurement
	Params     trials.Params // as requested
	Effective  trials.Params // as the trainer used them; nil: not recorded
	ScoreEpoch int           // epoch of the trial's value; 0: not recorded
	Attempts   int
	Data       string // data set of this trial
	Train      int    // training pictures; 0: not recorded
	Val        int    // validation pictures; 0: not recorded
	// Noise is the spread of the objective over seeds where nothing else differs.
	Noise Noise
}

// Setting is what the trials of a study share.
type Setting struct {
	Backend   string // one of studies.Backend..., or ""
	Model     string
	Objective studies.Objective
	Devices   []string // "cpu", "cuda:0", as they were found before the first trial
	Planned   int      // epochs of a trial
	Batch     int      // 0: the backend's default
	ImageSize int
}

// Noise is a standard deviation and the degrees of freedom behind it; DF 0: unknown.
type Noise struct {
	SD float64
	DF int
}

// Script is the training script of the official code, which decides what it measures.
type Script string

// The scripts.
const (
	NoScript     Script = ""
	TrainSingle  Script = "train.py"
	TrainDual    Script = "train_dual.py"
	TrainTriple  Script = "train_triple.py"
	defaultBatch        = 16 // of the official scripts and of the native trainer
)

// ScriptOf is the script that fits a model file of the official code; NoScript for a name that it does not have.
func ScriptOf(model string) Script {
	name := strings.ToLower(model[strings.LastIndexAny(model, `/\`)+1:])
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".yaml"), ".yml")
	switch {
	case strings.HasPrefix(name, "gelan"), name == "yolov7-af":
		return TrainSingle
	case name == "yolov9-cf":
		return TrainTriple
	case strings.HasPrefix(name, "yolov9"):
		return TrainDual
	}
	return NoScript
}

// Runs prepares the trials of a study, without those that have not started and those that another trial repeats.
func Runs(study trials.Study, spec studies.Spec, ts []trials.Trial) []Run {
	set := Setting{Backend: spec.Trainer.Backend, Model: spec.Trainer.Model, Objective: spec.Objective,
		Devices: study.Provenance.Devices, Planned: spec.Trainer.Epochs, Batch: spec.Trainer.Batch, ImageSize: spec.Trainer.ImageSize}
	if set.Backend == "" {
		set.Backend = study.Provenance.Backend
	}
	noise := noises(ts)
	var runs []Run
	for _, t := range ts {
		if t.State == trials.Waiting || !t.Counts() || t.Text(trials.AttrClass) == trials.ClassSkipped {
			continue
		}
		r := Run{Setting: set, Number: t.Number, State: t.State, Class: t.Text(trials.AttrClass), Curve: t.Measurements,
			Params: t.Params, Attempts: len(t.Attempts), Data: t.Text(trials.AttrData), Noise: noise[t.Text(trials.AttrData)]}
		if e, ok := t.Integer(trials.AttrScoreEpoch); ok {
			r.ScoreEpoch = int(e)
		}
		var effective trials.Params
		if json.Unmarshal(t.Attrs[trials.AttrEffective], &effective) == nil {
			r.Effective = effective
		}
		r.pictures(study.LastProvenance().Data)
		runs = append(runs, r)
	}
	return runs
}

// pictures looks up the size of the trial's data set.
func (r *Run) pictures(sources []trials.DataSource) {
	for _, d := range sources {
		if d.Name == r.Data || len(sources) == 1 {
			r.Train, r.Val = d.Train, d.Val
		}
	}
}

// noises pools the variance of the objective within arms, by data set: only trials that differ in nothing but the seed.
func noises(ts []trials.Trial) map[string]Noise {
	type arm struct{ data, name string }
	scores := map[arm]map[int]float64{}
	for _, t := range ts {
		if t.State != trials.Complete || t.Superseded() || t.Arm() == "" || len(t.Values) == 0 || !finite(t.Values[0]) {
			continue
		}
		a := arm{t.Text(trials.AttrData), t.Arm()}
		if scores[a] == nil {
			scores[a] = map[int]float64{}
		}
		if _, again := scores[a][t.Replicate()]; !again {
			scores[a][t.Replicate()] = t.Values[0]
		}
	}
	sums, out := map[string]float64{}, map[string]Noise{}
	for a, byReplicate := range scores {
		var v []float64
		for _, x := range byReplicate {
			v = append(v, x)
		}
		slices.Sort(v) // the same sum whatever the order of the map
		m := mean(v)
		for _, x := range v {
			sums[a.data] += (x - m) * (x - m)
		}
		n := out[a.data]
		n.DF += len(v) - 1
		out[a.data] = n
	}
	for data, n := range out {
		n.SD = math.NaN()
		if n.DF > 0 {
			n.SD = math.Sqrt(sums[data] / float64(n.DF))
		}
		out[data] = n
	}
	return out
}

// value is a parameter as the trainer used it, else as it was asked for.
func (r *Run) value(name string) (any, bool) {
	if v, ok := r.Effective[name]; ok {
		return v, true
	}
	v, ok := r.Params[name]
	return v, ok
}

// number is a numeric parameter.
func (r *Run) number(name string) (float64, bool) {
	v, ok := r.value(name)
	if !ok {
		return 0, false
	}
	return trials.Number(v)
}

// text is a parameter for people; "" where it is not recorded.
func (r *Run) text(name string) string {
	v, ok := r.value(name)
	if !ok {
		switch name {
		case "trainer.epochs":
			return positive(r.Planned)
		case "trainer.image_size":
			return positive(r.ImageSize)
		case "trainer.batch":
			return positive(r.Batch)
		case "objective.epoch":
			return r.Objective.Epoch
		}
		return ""
	}
	if x, ok := v.(float64); ok {
		return strconv.FormatFloat(x, 'g', 4, 64) // a sampled value has sixteen digits
	}
	return trials.FormatValue(v)
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// script is the official script of this run; NoScript for other backends.
func (r *Run) script() Script {
	if r.Backend != studies.BackendYOLOv9 {
		return NoScript
	}
	if v, ok := r.value("cfg"); ok {
		if s, isText := v.(string); isText && s != "" {
			return ScriptOf(s)
		}
	}
	return ScriptOf(r.Model)
}

// batch is the number of pictures of a step.
func (r *Run) batch() int {
	if b, ok := r.number("batch_size"); ok && b > 0 && r.Backend == studies.BackendYOLOv9 {
		if r.Effective["batch_size"] != nil || r.Batch == 0 {
			return int(b)
		}
	}
	if r.Batch > 0 {
		return r.Batch
	}
	return defaultBatch
}

// ended says that the trial ran to its end, and not that someone cut it short.
func (r *Run) ended() bool { return r.State == trials.Complete }
