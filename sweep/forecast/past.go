package forecast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trials"
)

// Past is what the finished trials of a database tell about a study with the same settings.
type Past struct {
	Times Times
	// Baseline are the scores of trials of the study's reference, by data set and seed: the same trainer, model, data, length and
	// objective, and the same parameters.
	Baseline map[string]map[int64]float64
	Scores   []string // studies that they come from
	// Rho is the mean correlation over seeds of that reference with other configurations beside it, weighed by pairs;
	// it is known with three pairs or more.
	Rho      float64
	RhoPairs int // 0: not known

	Checkpoints []Checkpoint // of those trials, which may lie on disk
	All         int          // trials in the whole database, of whatever study
}

// Checkpoint is where a trial left its final checkpoint.
type Checkpoint struct {
	Study  string
	Number int
	Path   string // relative to the trial's folder
}

// Times are how long trials took.
type Times struct {
	ByData  [][]float64 // seconds of whole trials, for each of the study's data sets
	Studies []string    // that they come from; empty: a probe
	Beside  float64     // trials that ran at once on average while any did; 0: not known
	Note    string      // how they were measured, for people
}

// Known says that there is a time for every data set.
func (t Times) Known() bool {
	return len(t.ByData) > 0 && !slices.ContainsFunc(t.ByData, func(s []float64) bool { return len(s) == 0 })
}

// Read looks through a database for finished trials of the study's settings. Times count only from the machine of that
// name, since those of others say nothing, and of trials that had as many threads as the study's have with so many cores each;
// scores from anywhere.
func Read(ctx context.Context, r trials.Reader, spec studies.Spec, host string, cores int) (Past, error) {
	p := Past{Baseline: map[string]map[int64]float64{}, Times: Times{ByData: make([][]float64, len(dataSets(spec)))}}
	all, err := r.Studies(ctx)
	if err != nil {
		return p, fmt.Errorf("read past studies: %w", err)
	}
	ref := reference(spec)
	var wall, device time.Duration
	for _, st := range all {
		ts, err := r.Trials(ctx, st.ID)
		if err != nil {
			return p, fmt.Errorf("read past trials of study %q: %w", st.Name, err)
		}
		p.All += len(ts)
		old, err := sweep.StoredSpec(st)
		if err != nil || sweep.IsImported(st) || !sameTraining(spec, old) {
			continue
		}
		if st.LastProvenance().Host == host && len(st.Continuations()) == 0 {
			fit := func(t trials.Trial) bool {
				return sameDevice(spec.Trainer, t) && sameThreads(spec.Trainer, cores, old.Trainer, t)
			}
			w, d := p.times(spec, st, ts, fit)
			wall, device = wall+w, device+d
		}
		if sameObjective(spec, old) {
			p.scores(spec, st, ts, ref)
		}
	}
	if wall > 0 {
		p.Times.Beside = device.Seconds() / wall.Seconds()
	}
	return p, nil
}

// dataSets are the study's data sets; one without a name where it names none.
func dataSets(spec studies.Spec) []string {
	if len(spec.Trainer.Data) == 0 {
		return []string{""}
	}
	return spec.Trainer.Data
}

// reference are the parameters that effects are read against; nil for a design without reference.
func reference(spec studies.Spec) trials.Params {
	if !spec.Referenced() {
		return nil
	}
	plan, err := design.Points(spec)
	if err != nil {
		return nil
	}
	a, _ := plan.Arm(plan.Reference)
	return a.Params
}

// sameTraining says that trials of the two studies do the same work, whatever their parameters.
func sameTraining(a, b studies.Spec) bool {
	s, t := a.Trainer, b.Trainer
	return s.Backend == t.Backend && s.Model == t.Model && s.ImageSize == t.ImageSize && s.Epochs == t.Epochs && s.Batch == t.Batch &&
		s.COCO == t.COCO && s.GPUs == t.GPUs && slices.Equal(s.Command, t.Command) && s.Weights == t.Weights &&
		cmp.Or(s.Precision, "fp32") == cmp.Or(t.Precision, "fp32") && cmp.Or(s.Convolution, "auto") == cmp.Or(t.Convolution, "auto")
}

// sameDevice says that a trial ran on a GPU if the native trainer is asked for one, and on the CPU if for that. What auto comes
// to is not known here.
func sameDevice(a studies.Trainer, t trials.Trial) bool {
	if a.Backend != studies.BackendNative || a.Device == "auto" {
		return true
	}
	return (a.Device == "" || a.Device == "cpu") == (t.Text(trials.AttrDevices) == "")
}

// sameThreads says that a trial t of a study with the trainer b had as many threads and loaders as trials of the trainer a have
// with so many cores each. Those of the native trainer follow from a trial's cores where the study does not say how many; other
// trainers see to theirs themselves.
func sameThreads(a studies.Trainer, cores int, b studies.Trainer, t trials.Trial) bool {
	if a.Backend != studies.BackendNative {
		return true
	}
	had, _ := t.Integer(trials.AttrCores)
	if a.Loaders == nil || b.Loaders == nil {
		if a.Loaders != b.Loaders || int(had) != cores {
			return false
		}
	} else if *a.Loaders != *b.Loaders {
		return false
	}
	return cmp.Or(a.Threads, cores) == cmp.Or(b.Threads, int(had))
}

func sameObjective(a, b studies.Spec) bool {
	o, q := a.Objective, b.Objective
	by, _ := o.Chooser()
	also, _ := q.Chooser()
	return o.Metric == q.Metric && o.Epoch == q.Epoch && o.Split == q.Split && (o.Epoch != "best" || by == also)
}

// times adds the durations of a study's complete trials that fit, and returns for how long any of them ran, and how long
// all of them together.
func (p *Past) times(spec studies.Spec, st trials.Study, ts []trials.Trial, fit func(trials.Trial) bool) (wall, device time.Duration) {
	var spans [][2]time.Time
	for _, t := range ts {
		block := slices.Index(dataSets(spec), t.Text(trials.AttrData))
		if t.State != trials.Complete || block < 0 {
			continue
		}
		runs, d := whole(t, ts, fit)
		if d <= 0 {
			continue
		}
		p.Times.ByData[block] = append(p.Times.ByData[block], d.Seconds())
		spans = append(spans, runs...)
		device += d
		if rel := t.Text(sweep.AttrCheckpoint); rel != "" {
			p.Checkpoints = append(p.Checkpoints, Checkpoint{st.Name, t.Number, rel})
		}
		if !slices.Contains(p.Times.Studies, st.Name) {
			p.Times.Studies = append(p.Times.Studies, st.Name)
		}
	}
	return union(spans), device
}

// whole are the runs that brought a trial to its end, each in one attempt, and how long they took together: its own, and those of
// the trials that it went on from. None if one of them was interrupted or does not fit.
func whole(t trials.Trial, ts []trials.Trial, fit func(trials.Trial) bool) (runs [][2]time.Time, sum time.Duration) {
	for {
		if len(t.Attempts) != 1 || !fit(t) {
			return nil, 0
		}
		a := t.Attempts[0]
		runs, sum = append(runs, [2]time.Time{a.Started, a.Ended}), sum+a.Ended.Sub(a.Started)
		n, ok := t.Continues()
		if !ok || len(t.Measurements) > 0 && t.Measurements[0].Epoch == 1 { // it started anew
			return runs, sum
		}
		i := slices.IndexFunc(ts, func(o trials.Trial) bool { return o.Number == n })
		if i < 0 {
			return nil, 0
		}
		t = ts[i]
	}
}

// union is for how long at least one of the spans lasts.
func union(spans [][2]time.Time) time.Duration {
	slices.SortFunc(spans, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	var sum time.Duration
	var end time.Time
	for _, s := range spans {
		if s[0].After(end) {
			end = s[0]
		}
		if s[1].After(end) {
			sum, end = sum+s[1].Sub(end), s[1]
		}
	}
	return sum
}

// scores adds the reference's scores of a study, and how other configurations correlate with it over seeds.
func (p *Past) scores(spec studies.Spec, st trials.Study, ts []trials.Trial, ref trials.Params) {
	if ref == nil {
		return
	}
	for _, d := range dataSets(spec) {
		arms := map[string]map[int64]float64{} // by configuration, then seed
		for _, t := range ts {
			if t.State != trials.Complete || len(t.Values) == 0 || t.Text(trials.AttrData) != d {
				continue
			}
			k := t.Params.Key()
			if arms[k] == nil {
				arms[k] = map[int64]float64{}
			}
			arms[k][t.Seed()] = t.Values[0]
		}
		base := arms[ref.Key()]
		if len(base) == 0 {
			continue
		}
		if p.Baseline[d] == nil {
			p.Baseline[d] = map[int64]float64{}
		}
		for seed, x := range base { // a seed that came before is the same training
			p.Baseline[d][seed] = x
		}
		if !slices.Contains(p.Scores, st.Name) {
			p.Scores = append(p.Scores, st.Name)
		}
		for k, arm := range arms {
			if k == ref.Key() {
				continue
			}
			e := inference.Compare(base, arm, inference.Options{Paired: true})
			if r := e.Correlation; r == r { // not NaN
				p.Rho = (p.Rho*float64(p.RhoPairs) + r*float64(e.N)) / float64(p.RhoPairs+e.N)
				p.RhoPairs += e.N
			}
		}
	}
}
