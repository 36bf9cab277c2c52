package diagnosis_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/diagnosis"
	"github.com/mapsweep/mapsweep/trials"
)

// curve gives a metric at an epoch from 1; NaN stands for itself, absent for no value.
type curve func(epoch int) float64

const absent = math.MaxFloat64

// run makes a complete trial with a metric at every one of n epochs.
func run(backend string, n int, curves map[string]curve) diagnosis.Run {
	r := diagnosis.Run{State: trials.Complete, Setting: diagnosis.Setting{Backend: backend, Planned: n,
		Objective: studies.Objective{Metric: "mAP50-95", Direction: trials.Maximize}}}
	for e := 1; e <= n; e++ {
		m := trials.Measurement{Epoch: e, Metrics: map[string]float64{}}
		for k, c := range curves {
			if v := c(e); v != absent {
				m.Metrics[k] = v
			}
		}
		r.Curve = append(r.Curve, m)
	}
	return r
}

func constant(v float64) curve { return func(int) float64 { return v } }

// between goes on a line from a at epoch 1 to b at epoch n and stays there.
func between(a, b float64, n int) curve {
	return func(e int) float64 { return a + (b-a)*float64(min(e, n)-1)/float64(n-1) }
}

// steps holds the values of epochs from 1 on; the last one stays.
func steps(vs ...float64) curve {
	return func(e int) float64 { return vs[min(e, len(vs))-1] }
}

func find(t *testing.T, r diagnosis.Run, rule string) diagnosis.Finding {
	t.Helper()
	for _, f := range diagnosis.Diagnose(r).Findings {
		if f.Rule == rule {
			return f
		}
	}
	t.Fatalf("rule %s says nothing", rule)
	return diagnosis.Finding{}
}

func number(f diagnosis.Finding, name string) float64 {
	for _, n := range f.Numbers {
		if n.Name == name {
			return n.Value
		}
	}
	return math.NaN()
}

// rising is a score that climbs to v in n epochs.
func rising(v float64, n int) curve {
	return func(e int) float64 { return v * (1 - math.Exp(-5*float64(e)/float64(n))) }
}

// falling is a healthy box loss.
func falling(e int) float64 { return 0.2 + 0.8*math.Exp(-float64(e-1)/4) }

// zigzag swings around a middle by half its width up and down.
func zigzag(middle, width float64) curve {
	return func(e int) float64 { return middle + width*(float64(e%2)-0.5) }
}

// Each rule on both sides of its threshold, and where it cannot be judged.
func TestRules(t *testing.T) {
	const native, yolov9, command = studies.BackendNative, studies.BackendYOLOv9, studies.BackendCommand
	type edit func(*diagnosis.Run)
	dual := func(r *diagnosis.Run) { r.Model = "yolov9-s" }
	single := func(r *diagnosis.Run) { r.Model = "gelan-s" }
	with := func(p trials.Params) edit { return func(r *diagnosis.Run) { r.Params = p } }
	state := func(s trials.State) edit { return func(r *diagnosis.Run) { r.State = s } }
	planned := func(n int) edit { return func(r *diagnosis.Run) { r.Planned = n } }
	noise := func(sd float64) edit { return func(r *diagnosis.Run) { r.Noise = diagnosis.Noise{SD: sd, DF: 8} } }
	pictures := func(n int) edit { return func(r *diagnosis.Run) { r.Train, r.Batch = n, 16 } }
	card := func(memory, use float64) map[string]curve {
		return map[string]curve{"gpu/memory": constant(memory), "gpu/utilisation": constant(use)}
	}
	gap := func(loose, strict float64) map[string]curve {
		return map[string]curve{"mAP50": constant(loose), "mAP50-95": constant(strict)}
	}
	for name, c := range map[string]struct {
		rule    string
		backend string
		epochs  int
		curves  map[string]curve
		edits   []edit
		want    diagnosis.State
		says    string // in meaning, threshold, note or a lever
	}{
		"numbers all":         {"diverged", native, 5, map[string]curve{"loss/box": falling}, nil, diagnosis.Healthy, ""},
		"one NaN":             {"diverged", yolov9, 5, map[string]curve{"loss/cls": steps(3, 2, math.NaN())}, nil, diagnosis.Problem, "amp"},
		"infinite":            {"diverged", native, 5, map[string]curve{"mAP50": steps(0.1, math.Inf(1), 0.1)}, nil, diagnosis.Problem, "clip_norm"},
		"telemetry NaN":       {"diverged", native, 5, map[string]curve{"loss/box": falling, "gpu/memory": constant(math.NaN())}, nil, diagnosis.Healthy, ""},
		"loss 1.9 fold":       {"diverged", native, 6, map[string]curve{"loss/box": steps(1, 1.5, 1.9)}, nil, diagnosis.Healthy, ""},
		"loss 2.1 fold":       {"diverged", native, 6, map[string]curve{"loss/box": steps(1, 1.5, 2.1)}, nil, diagnosis.Problem, "lr0"},
		"val loss may grow":   {"diverged", native, 6, map[string]curve{"val-loss/box": steps(1, 3)}, nil, diagnosis.Healthy, ""},
		"failed as diverged":  {"diverged", native, 0, nil, []edit{state(trials.Fail), func(r *diagnosis.Run) { r.Class = trials.ClassDiverged }}, diagnosis.Problem, ""},
		"finds objects":       {"no-learning", native, 12, map[string]curve{"mAP50": constant(0.0011)}, nil, diagnosis.Healthy, ""},
		"finds nothing":       {"no-learning", yolov9, 12, map[string]curve{"mAP50": constant(0.001)}, nil, diagnosis.Problem, "Early stopping does not end"},
		"finds nothing yet":   {"no-learning", native, 9, map[string]curve{"mAP50": constant(0)}, []edit{state(trials.Running)}, diagnosis.Unknown, "too few epochs"},
		"short, found none":   {"no-learning", native, 9, map[string]curve{"mAP50": constant(0)}, nil, diagnosis.Watch, "too short"},
		"no score":            {"no-learning", command, 12, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "reports no metric mAP50"},
		"fall 41 %":           {"box-loss-fall", native, 20, map[string]curve{"loss/box": between(1, 0.59, 10)}, nil, diagnosis.Healthy, ""},
		"fall 39 %":           {"box-loss-fall", native, 20, map[string]curve{"loss/box": between(1, 0.61, 10)}, nil, diagnosis.Watch, "lr0"},
		"fall after 10":       {"box-loss-fall", native, 20, map[string]curve{"loss/box": between(1, 0.3, 20)}, nil, diagnosis.Watch, "more slowly"},
		"fall scaled":         {"box-loss-fall", yolov9, 20, map[string]curve{"loss/box": between(7.5, 7.5*0.59, 10)}, []edit{dual}, diagnosis.Healthy, ""},
		"no fall":             {"box-loss-fall", native, 12, map[string]curve{"loss/box": constant(1)}, nil, diagnosis.Problem, "does not fall at all"},
		"fall, then rebound":  {"box-loss-fall", native, 20, map[string]curve{"loss/box": func(e int) float64 { return 0.5 + math.Abs(float64(e)-10)/18 }}, nil, diagnosis.Watch, "rose again"},
		"val does not follow": {"box-loss-fall", native, 20, map[string]curve{"loss/box": falling, "val-loss/box": between(1, 1.1, 20)}, nil, diagnosis.Watch, "validation"},
		"short but enough":    {"box-loss-fall", native, 5, map[string]curve{"loss/box": between(1, 0.5, 5)}, nil, diagnosis.Healthy, ""},
		"short, too few":      {"box-loss-fall", native, 5, map[string]curve{"loss/box": between(1, 0.7, 5)}, nil, diagnosis.Unknown, "too few epochs"},
		"from weights":        {"box-loss-fall", yolov9, 20, map[string]curve{"loss/box": between(1, 0.8, 10)}, []edit{with(trials.Params{"weights": "yolov9-s.pt"})}, diagnosis.Unknown, "trained weights"},
		"begins late": {"box-loss-fall", native, 20, map[string]curve{"loss/box": func(e int) float64 {
			if e < 6 {
				return absent
			}
			return 1
		}}, nil, diagnosis.Unknown, "first epochs"},
		"val rises 10":          {"overfitting", yolov9, 30, map[string]curve{"loss/box": between(2, 1, 30), "val-loss/box": func(e int) float64 { return 1 + math.Abs(float64(e)-18)/50 }}, []edit{single}, diagnosis.Problem, "patience"},
		"val rises 9":           {"overfitting", yolov9, 27, map[string]curve{"loss/box": between(2, 1, 30), "val-loss/box": func(e int) float64 { return 1 + math.Abs(float64(e)-18)/50 }}, []edit{single}, diagnosis.Watch, "begun"},
		"val rises 4 %":         {"overfitting", yolov9, 30, map[string]curve{"loss/box": between(2, 1, 30), "val-loss/box": func(e int) float64 { return 1 + 0.04*math.Max(0, float64(e)-18)/12 }}, []edit{single}, diagnosis.Healthy, ""},
		"both rise":             {"overfitting", yolov9, 30, map[string]curve{"loss/box": between(1, 2, 30), "val-loss/box": func(e int) float64 { return 1 + math.Abs(float64(e)-18)/50 }}, []edit{single}, diagnosis.Healthy, ""},
		"val too short":         {"overfitting", yolov9, 5, map[string]curve{"loss/box": falling, "val-loss/box": constant(1)}, []edit{single}, diagnosis.Unknown, "too few"},
		"dual has no val":       {"overfitting", yolov9, 30, map[string]curve{"loss/box": falling, "fitness": rising(0.5, 30)}, []edit{dual}, diagnosis.Unknown, "train_dual.py computes no validation loss"},
		"dual, zeros":           {"overfitting", yolov9, 30, map[string]curve{"loss/box": falling, "val-loss/box": constant(0)}, []edit{dual}, diagnosis.Unknown, "val_dual.py"},
		"triple has no val":     {"overfitting", yolov9, 30, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"cfg": "models/detect/yolov9-cf.yaml"})}, diagnosis.Unknown, "train_triple.py"},
		"native has no val":     {"overfitting", native, 30, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "native trainer"},
		"command has no val":    {"overfitting", command, 30, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "the program reports no metric val-loss/box"},
		"score fell":            {"score-fall", native, 30, map[string]curve{"loss/box": falling, "mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-19)*0.0011 }}, nil, diagnosis.Problem, "overfitting"},
		"score fell a little":   {"score-fall", native, 30, map[string]curve{"loss/box": falling, "mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-19)*0.0009 }}, nil, diagnosis.Watch, "slipping"},
		"score fell in noise":   {"score-fall", native, 30, map[string]curve{"loss/box": falling, "mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-19)*0.0011 }}, []edit{noise(0.02)}, diagnosis.Healthy, ""},
		"score fell late":       {"score-fall", native, 28, map[string]curve{"loss/box": falling, "mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-19)*0.01 }}, nil, diagnosis.Healthy, ""},
		"score, loss up":        {"score-fall", native, 30, map[string]curve{"loss/box": between(1, 2, 30), "mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-19)*0.01 }}, nil, diagnosis.Healthy, ""},
		"score too short":       {"score-fall", native, 10, map[string]curve{"mAP50-95": constant(0.5)}, nil, diagnosis.Unknown, "too few"},
		"swing 68 %":            {"box-loss-swing", native, 24, map[string]curve{"loss/box": zigzag(0.75, 0.75*0.70)}, nil, diagnosis.Problem, "trainer.image_size"},
		"swing 60 %":            {"box-loss-swing", native, 24, map[string]curve{"loss/box": zigzag(0.75, 0.75*0.60)}, nil, diagnosis.Watch, "lr0"},
		"swing 22 %":            {"box-loss-swing", yolov9, 24, map[string]curve{"loss/box": zigzag(5, 5*0.22)}, []edit{dual}, diagnosis.Watch, "a quarter of each auxiliary head's"},
		"swing 18 %":            {"box-loss-swing", yolov9, 24, map[string]curve{"loss/box": zigzag(5, 5*0.18)}, []edit{single}, diagnosis.Healthy, "includes the gain (7.5)"},
		"swing, falling":        {"box-loss-swing", native, 24, map[string]curve{"loss/box": func(e int) float64 { return zigzag(0.75, 0.4)(e) - 0.02*float64(e) }}, nil, diagnosis.Healthy, ""},
		"swing too short":       {"box-loss-swing", native, 10, map[string]curve{"loss/box": zigzag(1, 1)}, nil, diagnosis.Unknown, "too few"},
		"gap 22.1":              {"map-gap", yolov9, 3, gap(0.721, 0.5), nil, diagnosis.Problem, "launcher only"},
		"gap 22":                {"map-gap", yolov9, 3, gap(0.7199, 0.5), nil, diagnosis.Watch, "less tight"},
		"gap 15":                {"map-gap", native, 3, gap(0.6501, 0.5), nil, diagnosis.Watch, "box"},
		"gap 14.9":              {"map-gap", native, 3, gap(0.649, 0.5), nil, diagnosis.Healthy, ""},
		"gap 8":                 {"map-gap", native, 3, gap(0.5801, 0.5), nil, diagnosis.Healthy, ""},
		"gap 7.9":               {"map-gap", command, 3, gap(0.579, 0.5), nil, diagnosis.Watch, "trainer.epochs"},
		"gap 7.9, pruned":       {"map-gap", native, 3, gap(0.579, 0.5), []edit{state(trials.Pruned)}, diagnosis.Unknown, "not run to its end"},
		"gap 7.9, nearly all":   {"map-gap", command, 3, gap(0.98, 0.901), nil, diagnosis.Healthy, ""},
		"article's good one":    {"map-gap", native, 3, gap(0.752, 0.618), nil, diagnosis.Healthy, ""},
		"gap of nothing":        {"map-gap", native, 3, gap(0, 0), nil, diagnosis.Unknown, "Nothing is found"},
		"gap, one metric":       {"map-gap", command, 3, map[string]curve{"mAP50": constant(0.5)}, nil, diagnosis.Unknown, "no metric mAP50-95"},
		"best long ago":         {"best-epoch", native, 31, map[string]curve{"mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-20)/100 }}, nil, diagnosis.Watch, "patience10, as in the article"},
		"best at patience":      {"best-epoch", yolov9, 30, map[string]curve{"fitness": func(e int) float64 { return 0.5 - math.Abs(float64(e)-20)/100 }}, nil, diagnosis.Healthy, "would have ended it"},
		"best within":           {"best-epoch", native, 29, map[string]curve{"mAP50-95": func(e int) float64 { return 0.5 - math.Abs(float64(e)-20)/100 }}, nil, diagnosis.Healthy, "changed nothing"},
		"patience misses":       {"best-epoch", native, 40, map[string]curve{"mAP50-95": steps(0.4, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.5)}, nil, diagnosis.Healthy, "before its best epoch"},
		"zeros are ties":        {"best-epoch", yolov9, 20, map[string]curve{"fitness": constant(0)}, nil, diagnosis.Healthy, "changed nothing"},
		"patience, smaller":     {"best-epoch", command, 31, map[string]curve{"err": func(e int) float64 { return 0.5 + math.Abs(float64(e)-20)/100 }}, []edit{func(r *diagnosis.Run) { r.Objective = studies.Objective{Metric: "err", Direction: trials.Minimize} }}, diagnosis.Watch, "patience"},
		"best too short":        {"best-epoch", native, 10, map[string]curve{"mAP50-95": constant(0.5)}, nil, diagnosis.Unknown, "too few"},
		"rises 1.2":             {"still-rising", native, 20, map[string]curve{"mAP50-95": func(e int) float64 { return 0.003 * float64(e) }}, nil, diagnosis.Watch, "trainer.epochs"},
		"rises 0.8":             {"still-rising", native, 20, map[string]curve{"mAP50-95": func(e int) float64 { return 0.002 * float64(e) }}, nil, diagnosis.Healthy, ""},
		"rises within noise":    {"still-rising", native, 20, map[string]curve{"mAP50-95": func(e int) float64 { return 0.003 * float64(e) }}, []edit{noise(0.007)}, diagnosis.Healthy, ""},
		"steady":                {"unstable", native, 20, map[string]curve{"mAP50-95": zigzag(0.5, 0.0138)}, nil, diagnosis.Healthy, ""},
		"unsteady":              {"unstable", native, 20, map[string]curve{"mAP50-95": zigzag(0.5, 0.0146)}, nil, diagnosis.Watch, "ema_tau"},
		"few pictures":          {"unstable", yolov9, 20, map[string]curve{"mAP50-95": zigzag(0.5, 0.018)}, []edit{func(r *diagnosis.Run) { r.Val = 199 }}, diagnosis.Watch, "fewer than 200"},
		"less than seeds":       {"unstable", native, 20, map[string]curve{"mAP50-95": zigzag(0.5, 0.018)}, []edit{noise(0.02)}, diagnosis.Healthy, ""},
		"more than seeds":       {"unstable", native, 20, map[string]curve{"mAP50-95": zigzag(0.5, 0.012)}, []edit{noise(0.004)}, diagnosis.Watch, ""},
		"unsteady too short":    {"unstable", native, 9, map[string]curve{"mAP50-95": zigzag(0.5, 0.1)}, nil, diagnosis.Unknown, "too few"},
		"warm-up all":           {"warm-up", native, 3, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 3.0})}, diagnosis.Problem, "before warm-up does"},
		"warm-up 34 %":          {"warm-up", native, 100, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": int64(34)})}, diagnosis.Watch, "large part"},
		"warm-up 33 %":          {"warm-up", native, 100, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 33.0})}, diagnosis.Healthy, ""},
		"floor not reached":     {"warm-up", yolov9, 100, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 1.0}), pictures(1584)}, diagnosis.Watch, "warmup_floor"},
		"floor reached":         {"warm-up", yolov9, 100, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 1.0}), pictures(1600)}, diagnosis.Healthy, ""},
		"floor lowered":         {"warm-up", yolov9, 100, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 1.0, "warmup_floor": int64(0)}), pictures(1584)}, diagnosis.Healthy, ""},
		"floor is all":          {"warm-up", yolov9, 5, map[string]curve{"loss/box": falling}, []edit{with(trials.Params{"warmup_epochs": 1.0}), pictures(320)}, diagnosis.Problem, "never reached"},
		"pictures unknown":      {"warm-up", yolov9, 5, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "training pictures"},
		"pictures unknown, all": {"warm-up", yolov9, 3, map[string]curve{"loss/box": falling}, nil, diagnosis.Problem, "before warm-up does"},
		"program's warm-up":     {"warm-up", command, 5, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "warmup_epochs"},
		"lr 11 %":               {"lr-end", native, 40, map[string]curve{"lr/weights": between(0.02, 0.0022, 40)}, []edit{with(trials.Params{"lr0": 0.02})}, diagnosis.Watch, "lrf"},
		"lr 9 %":                {"lr-end", native, 40, map[string]curve{"lr/weights": between(0.02, 0.0018, 40)}, []edit{with(trials.Params{"lr0": 0.02})}, diagnosis.Healthy, ""},
		"lr, official, short":   {"lr-end", yolov9, 10, map[string]curve{"lr/weights": between(0.01, 0.00208, 10)}, []edit{with(trials.Params{"lr0": 0.01})}, diagnosis.Healthy, ""},
		"lr, ended early":       {"lr-end", yolov9, 40, map[string]curve{"lr/weights": between(0.01, 0.006, 40)}, []edit{planned(100)}, diagnosis.Watch, "before its schedule did"},
		"lr not stored":         {"lr-end", command, 40, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "lr/weights"},
		"gpu starved":           {"gpu", yolov9, 5, card(0.951, 0.299), nil, diagnosis.Problem, "cache"},
		"gpu full, 30 %":        {"gpu", yolov9, 5, card(0.951, 0.30), nil, diagnosis.Healthy, "None of"},
		"gpu 95 %, idle":        {"gpu", yolov9, 5, card(0.95, 0.299), nil, diagnosis.Watch, "None of"},
		"gpu compute-bound":     {"gpu", yolov9, 5, card(0.699, 0.901), nil, diagnosis.Watch, "no --fp16"},
		"gpu 70 %, busy":        {"gpu", yolov9, 5, card(0.70, 0.901), nil, diagnosis.Healthy, "None of"},
		"gpu roomy, 90 %":       {"gpu", command, 5, card(0.699, 0.90), nil, diagnosis.Healthy, "None of"},
		"gpu at the limit":      {"gpu", yolov9, 5, card(0.85, 0.85), nil, diagnosis.Healthy, "hardware's limit"},
		"gpu past the limit":    {"gpu", yolov9, 5, card(0.92, 0.851), nil, diagnosis.Healthy, "None of"},
		"no gpu":                {"gpu", native, 5, map[string]curve{"loss/box": falling}, nil, diagnosis.Unknown, "had no GPU"},
		"gpu not sampled":       {"gpu", yolov9, 5, map[string]curve{"loss/box": falling}, []edit{func(r *diagnosis.Run) { r.Devices = []string{"cuda:0"} }}, diagnosis.Unknown, "no use of the GPU was sampled"},
		"gpu half sampled":      {"gpu", yolov9, 5, map[string]curve{"gpu/memory": constant(0.5)}, nil, diagnosis.Unknown, "only one"},
		"waits 29 %":            {"loading", yolov9, 5, card(0.5, 0.71), nil, diagnosis.Healthy, ""},
		"waits 31 %":            {"loading", yolov9, 5, card(0.5, 0.69), nil, diagnosis.Watch, "workers"},
		"waits 71 %":            {"loading", native, 5, card(0.5, 0.29), nil, diagnosis.Problem, "trainer.loaders1 or more"},
		"waits, cores busy":     {"loading", yolov9, 5, map[string]curve{"gpu/utilisation": constant(0.5), "cpu/utilisation": constant(0.95)}, nil, diagnosis.Watch, "more workers will not help"},
		"cores 49 %":            {"loading", native, 5, map[string]curve{"cpu/utilisation": constant(0.49)}, nil, diagnosis.Watch, "cores wait"},
		"cores 51 %":            {"loading", native, 5, map[string]curve{"cpu/utilisation": constant(0.51)}, nil, diagnosis.Healthy, ""},
		"slower 1.6":            {"slower", native, 12, map[string]curve{"time/epoch": steps(9, 10, 10, 10, 12, 14, 16)}, nil, diagnosis.Watch, "budget.parallel"},
		"slower 1.4":            {"slower", native, 12, map[string]curve{"time/epoch": steps(9, 10, 10, 10, 12, 14)}, nil, diagnosis.Healthy, ""},
		"slow first epoch":      {"slower", native, 12, map[string]curve{"time/epoch": steps(90, 10)}, nil, diagnosis.Healthy, ""},
		"fast first epochs":     {"slower", native, 12, map[string]curve{"time/epoch": steps(1, 5, 10, 10, 14)}, nil, diagnosis.Healthy, ""},
		"slower too short":      {"slower", native, 7, map[string]curve{"time/epoch": constant(10)}, nil, diagnosis.Unknown, "too few"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(c.backend, c.epochs, c.curves)
			for _, e := range c.edits {
				e(&r)
			}
			f := find(t, r, c.rule)
			if f.State != c.want {
				t.Errorf("%s, want %s: %s %v", f.State, c.want, f.Meaning, f.Numbers)
			}
			text := f.Meaning + f.Threshold + f.Note
			for _, l := range f.Levers {
				text += l.Knob + l.Do
			}
			if !strings.Contains(text, c.says) {
				t.Errorf("does not say %q: %s %s %v", c.says, f.Meaning, f.Note, f.Levers)
			}
			sick := f.State == diagnosis.Problem || f.State == diagnosis.Watch
			if f.Threshold == "" || f.Source == "" || f.Meaning == "" || sick != (len(f.Levers) > 0) {
				t.Errorf("a finding is not whole: %+v", f)
			}
			if sick && len(f.Numbers) == 0 && c.epochs > 0 {
				t.Errorf("no numbers: %+v", f)
			}
		})
	}
}

// Numbers are what the rule's formula gives.
func TestNumbers(t *testing.T) {
	r := run(studies.BackendYOLOv9, 24, map[string]curve{"loss/box": constant(4.6875), "mAP50": constant(0.6), "mAP50-95": between(0.3, 0.35, 24)})
	r.Model = "yolov9-s"
	f := find(t, r, "box-loss-swing") // 4.6875 / (7.5 (1 + 0.25)) = 0.5
	if got := number(f, "the same without gains and auxiliary heads (1 − CIoU)"); math.Abs(got-0.5) > 1e-12 {
		t.Errorf("1 - CIoU is %v, want 0.5", got)
	}
	r.Params = trials.Params{"box": 15.0}
	if got := number(find(t, r, "box-loss-swing"), "the same without gains and auxiliary heads (1 − CIoU)"); math.Abs(got-0.25) > 1e-12 {
		t.Errorf("with twice the gain it is %v, want 0.25", got)
	}
	r.ScoreEpoch = 1
	if got := number(find(t, r, "map-gap"), "difference"); math.Abs(got-0.3) > 1e-12 {
		t.Errorf("difference %v, want that of the scored epoch, 0.3", got)
	}
	r.Train, r.Batch, r.Params = 2500, 64, trials.Params{"warmup_epochs": 3.0} // 40 steps an epoch
	if got := number(find(t, r, "warm-up"), "warm-up in effect"); got != 120 {
		t.Errorf("warm-up of %v steps, want 120", got)
	}
	for _, c := range []struct {
		n    diagnosis.Number
		want string
	}{
		{diagnosis.Number{Value: 0.1834, Unit: diagnosis.Score}, "18.3 points"},
		{diagnosis.Number{Value: -0.0004, Unit: diagnosis.Score}, "0.0 points"},
		{diagnosis.Number{Value: -0.62, Unit: diagnosis.Share}, "−62 %"},
		{diagnosis.Number{Value: 0.0131, Unit: diagnosis.Share}, "1.3 %"},
		{diagnosis.Number{Value: 1, Unit: diagnosis.Epochs}, "1 epoch"},
		{diagnosis.Number{Value: 12, Unit: diagnosis.AtEpoch}, "epoch 12"},
		{diagnosis.Number{Value: 0.000262}, "0.000262"},
		{diagnosis.Number{Value: math.NaN()}, "not a number"},
	} {
		if got := c.n.String(); got != c.want {
			t.Errorf("%+v reads %q, want %q", c.n, got, c.want)
		}
	}
}

// A resumed trial reports epochs again: the last report counts. Gaps, disorder and scarce metrics do no harm.
func TestRobust(t *testing.T) {
	r := run(studies.BackendYOLOv9, 20, map[string]curve{"loss/box": falling, "mAP50": constant(0.6), "mAP50-95": constant(0.35)})
	r.Curve = append(r.Curve[:12:12], append([]trials.Measurement{{Epoch: 12, Metrics: map[string]float64{"loss/box": math.NaN()}}}, r.Curve[11:]...)...)
	slices.Reverse(r.Curve[3:9])
	if f := find(t, r, "diverged"); f.State != diagnosis.Healthy {
		t.Errorf("an epoch that was trained again counts twice: %v", f.Numbers)
	}
	var scarce []trials.Measurement // validated every 7 epochs
	for _, m := range run("", 50, map[string]curve{"loss/box": falling, "mAP50-95": rising(0.5, 30)}).Curve {
		if m.Epoch%7 != 0 {
			delete(m.Metrics, "mAP50-95")
		}
		scarce = append(scarce, m)
	}
	for name, r := range map[string]diagnosis.Run{
		"nothing": {}, "no metrics": {Curve: []trials.Measurement{{Epoch: 1}, {Epoch: 2}}},
		"epoch 0":  {Curve: []trials.Measurement{{Epoch: 0, Metrics: map[string]float64{"loss/box": 1}}}},
		"one":      run(studies.BackendNative, 1, map[string]curve{"loss/box": falling, "mAP50-95": constant(0.1), "mAP50": constant(0.2)}),
		"zeros":    run(studies.BackendYOLOv9, 30, map[string]curve{"loss/box": constant(0), "mAP50-95": constant(0), "mAP50": constant(0), "lr/weights": constant(0), "time/epoch": constant(0), "val-loss/box": constant(0)}),
		"all NaN":  run(studies.BackendYOLOv9, 30, map[string]curve{"loss/box": constant(math.NaN()), "mAP50-95": constant(math.NaN()), "val-loss/box": constant(math.NaN()), "gpu/memory": constant(math.NaN())}),
		"negative": run(studies.BackendCommand, 30, map[string]curve{"loss/box": constant(-1), "val-loss/box": between(-1, -2, 30), "mAP50-95": constant(-1)}),
		"huge":     run(studies.BackendCommand, 30, map[string]curve{"loss/box": constant(1e308), "mAP50-95": constant(1e308)}),
		"scarce":   {State: trials.Complete, Curve: scarce},
	} {
		rep := diagnosis.Diagnose(r)
		if _, err := json.Marshal(rep); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range rep.Findings {
			for _, n := range f.Numbers {
				if math.IsNaN(n.Value) || math.IsInf(n.Value, 0) {
					t.Errorf("%s: %s is judged by %s %v", name, f.Rule, n.Name, n.Value)
				}
			}
		}
		diagnosis.Summarize([]diagnosis.Report{rep})
	}
}

// The time of an epoch comes from the measurements' times where no telemetry is stored.
func TestTimeWithoutTelemetry(t *testing.T) {
	r := run(studies.BackendNative, 12, map[string]curve{"loss/box": falling})
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range r.Curve {
		d := 10 * time.Second
		if i > 7 {
			d = 16 * time.Second
		}
		if i == 5 {
			d = 8 * time.Hour // resumed the next morning
		}
		at = at.Add(d)
		r.Curve[i].At = at
	}
	f := find(t, r, "slower")
	if f.State != diagnosis.Watch || f.Numbers[0].Value != 10 || f.Numbers[1].Value != 16 {
		t.Errorf("%s %v", f.State, f.Numbers)
	}
}

func TestScriptOf(t *testing.T) {
	for model, want := range map[string]diagnosis.Script{
		"yolov9-t": diagnosis.TrainDual, "models/detect/yolov9-e.yaml": diagnosis.TrainDual, "yolov9": diagnosis.TrainDual,
		"gelan-c": diagnosis.TrainSingle, "yolov7-af": diagnosis.TrainSingle, "yolov9-cf.yaml": diagnosis.TrainTriple,
		"": diagnosis.NoScript, "mine": diagnosis.NoScript,
	} {
		if got := diagnosis.ScriptOf(model); got != want {
			t.Errorf("%s is trained by %q, want %q", model, got, want)
		}
	}
}

// Runs takes what a study stores: noise within arms, pictures, what was really used; and leaves out what did not run.
func TestRuns(t *testing.T) {
	spec := studies.Spec{Objective: studies.Objective{Metric: "mAP50-95"}, Trainer: studies.Trainer{Backend: "yolov9", Model: "yolov9-s", Epochs: 7, Batch: 8}}
	study := trials.Study{Provenance: trials.Provenance{Data: []trials.DataSource{{Name: "d", Train: 90, Val: 40}}}}
	make := func(n int, arm string, replicate int, v float64) trials.Trial {
		return trials.Trial{Number: n, State: trials.Complete, Values: []float64{v}, Params: trials.Params{"lr0": 0.01}, Attrs: map[string]json.RawMessage{
			trials.AttrArm: trials.Attr(arm), trials.AttrReplicate: trials.Attr(replicate), trials.AttrData: trials.Attr("d"),
			trials.AttrEffective: trials.Attr(trials.Params{"lr0": 0.02}), trials.AttrScoreEpoch: trials.Attr(4)}}
	}
	ts := []trials.Trial{make(0, "a", 0, 0.50), make(1, "b", 0, 0.70), make(2, "a", 1, 0.52), make(3, "b", 1, 0.74),
		{Number: 4, State: trials.Waiting}, make(5, "a", 2, math.NaN())}
	old := make(6, "a", 0, 0.9)
	old.Attrs[trials.AttrRetriedBy] = trials.Attr(7)
	rs := diagnosis.Runs(study, spec, append(ts, old))
	if len(rs) != 5 {
		t.Fatalf("%d runs, want those of trials 0, 1, 2, 3 and 5", len(rs))
	}
	r := rs[0]
	want := math.Sqrt((0.0002 + 0.0008) / 2)
	if math.Abs(r.Noise.SD-want) > 1e-12 || r.Noise.DF != 2 {
		t.Errorf("noise %+v, want %v with 2 degrees of freedom", r.Noise, want)
	}
	if r.Train != 90 || r.Val != 40 || r.ScoreEpoch != 4 || r.Planned != 7 || r.Effective["lr0"] != 0.02 {
		t.Errorf("run %+v", r)
	}
}

// Trials that share a finding stand together, worst first, with the span of their numbers and values.
func TestSummarize(t *testing.T) {
	var all []diagnosis.Report
	for i, gap := range []float64{0.1, 0.23, 0.25, 0.24, 0.16} {
		r := run(studies.BackendNative, 12, map[string]curve{"loss/box": falling, "mAP50": constant(0.3 + gap), "mAP50-95": constant(0.3)})
		r.Number, r.Params = i, trials.Params{"box": 7.5 + float64(i%2)}
		all = append(all, diagnosis.Diagnose(r))
	}
	all = append(all, diagnosis.Diagnose(diagnosis.Run{Number: 9, State: trials.Fail}))
	s := diagnosis.Summarize(all)
	g := s.Groups[0]
	if s.Trials != 5 || !slices.Equal(s.Unmeasured, []int{9}) || g.Rule != "map-gap" || g.State != diagnosis.Problem || !slices.Equal(g.Trials, []int{1, 2, 3}) || g.Of != 5 {
		t.Fatalf("%d trials, first group %+v", s.Trials, g)
	}
	if got := g.Ranges[2].String(); got != "23.0 to 25.0 points (median 24.0)" {
		t.Errorf("range %q", got)
	}
	if g.Levers[0].Knob != "box" || g.Levers[0].Now != "7.5, 8.5" {
		t.Errorf("levers %+v", g.Levers)
	}
	if !slices.IsSortedFunc(s.Groups, func(a, b diagnosis.Group) int {
		return slices.Index(diagnosis.States, a.State) - slices.Index(diagnosis.States, b.State)
	}) || s.Count(diagnosis.Problem) != 1 {
		t.Error("groups do not stand worst first")
	}
	sum := 0
	for _, state := range diagnosis.States {
		sum += s.Count(state)
	}
	rules := map[string]bool{} // each counts once, whatever the number of its groups
	for _, g := range s.Groups {
		rules[g.Rule] = true
	}
	if sum != len(rules) || len(s.Groups) <= sum {
		t.Errorf("%d rules are counted, of %d in %d groups", sum, len(rules), len(s.Groups))
	}
	if got := diagnosis.Numbers([]int{0, 1, 2, 3, 7, 8, 11}); got != "0 to 3, 7, 8, 11" {
		t.Errorf("numbers %q", got)
	}
}

// The official code stops by fitness; what is held against the spread over seeds is the objective.
func TestWhichScore(t *testing.T) {
	r := run(studies.BackendYOLOv9, 40, map[string]curve{
		"fitness":  func(e int) float64 { return 0.5 - math.Abs(float64(e)-20)/100 },
		"mAP50-95": zigzag(0.5, 0.012),
	})
	r.Noise = diagnosis.Noise{SD: 0.004, DF: 8}
	if f := find(t, r, "best-epoch"); f.Numbers[0].Name != "best fitness" || f.State != diagnosis.Watch {
		t.Errorf("early stopping is judged by %v: %s", f.Numbers, f.State)
	}
	if f := find(t, r, "unstable"); f.Numbers[0].Name != "swing of mAP50-95 (standard deviation)" || f.State != diagnosis.Watch {
		t.Errorf("steadiness is judged by %v: %s", f.Numbers, f.State)
	}
}
