package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/sweep/forecast"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/sweep/tuned"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// costs is what a plan says of time, disk and noise.
type costs struct {
	Forecast *forecast.Forecast `json:"forecast,omitempty"`
	Disk     *forecast.Disk     `json:"disk,omitempty"`
	Matches  *matchesSize       `json:"matches,omitempty"` // of the database; nil: none are kept
	Noise    []forecast.Noise   `json:"noise,omitempty"`
	Unknown  []string           `json:"unknown,omitempty"` // what nothing is known of, and how to find out
}

// probes is how often a plan measures a few steps where no trial of the same settings is in the database.
const probes = 3

// foresee says what the study will cost and see. study is how the user named it. With measure it checks the data, and
// measures a few steps if the database knows no times.
func (a *app) foresee(ctx context.Context, spec studies.Spec, backend trainer.Backend, p *planned, study string, measure bool) error {
	past, err := a.past(ctx, spec, local.Share(p.Parallel))
	if err != nil {
		return err
	}
	var one trainer.Estimate
	if measure {
		if pre, ok := backend.(trainer.Preparer); ok {
			prov, err := pre.Prepare(ctx)
			if err != nil {
				return err
			}
			p.Matches = sizeOfMatches(spec, prov, p.Trials)
		}
		if !past.Times.Known() {
			if one, err = a.measure(ctx, spec, backend, &past.Times, probes, local.Share(p.Parallel)); err != nil {
				return err
			}
		}
	}
	if measure || past.Times.Known() {
		f := forecast.New(spec, loadOf(spec, p), p.Parallel, past.Times)
		d := forecast.NewDisk(spec, f, a.checkpointSize(past, one), a.perTrial(past))
		p.Forecast, p.Disk = &f, &d
	}
	if spec.Referenced() {
		p.Noise = forecast.Noises(spec, past, len(p.Plan.Arms)-1)
		if len(p.Noise) == 0 {
			p.Unknown = append(p.Unknown, noiseUnknown(spec, past, study))
		}
	}
	return nil
}

// past reads what the database knows of the study's settings with so many cores a trial; nothing where there is none.
func (a *app) past(ctx context.Context, spec studies.Spec, cores int) (forecast.Past, error) {
	none := forecast.Past{Times: forecast.Times{ByData: [][]float64{nil}}}
	if _, err := os.Stat(a.db); err != nil {
		return none, nil
	}
	store, err := readStore(ctx, a.db)
	if err != nil {
		return none, err
	}
	defer store.Close()
	return readPast(ctx, store, spec, cores)
}

func readPast(ctx context.Context, store trials.Reader, spec studies.Spec, cores int) (forecast.Past, error) {
	host, err := os.Hostname()
	if err != nil {
		return forecast.Past{}, fmt.Errorf("name this machine: %w", err)
	}
	past, err := forecast.Read(ctx, store, spec, host, cores)
	if err == nil && past.Times.Known() {
		n := 0
		for _, s := range past.Times.ByData {
			n += len(s)
		}
		past.Times.Note = fmt.Sprintf("from %s of %s on this machine, %.1f at a time", count(n, "trial"), studyNames(past.Times.Studies), past.Times.Beside)
	}
	return past, err
}

// studyNames lists up to three names.
func studyNames(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more studies", strings.Join(names[:2], ", "), len(names)-2)
	}
	return strings.Join(names, ", ")
}

// needLess says what helps where a device's memory does not suffice.
func needLess(err error) string {
	var f *trainer.Failure
	if errors.As(err, &f) && f.Class == trials.ClassMemory {
		return "; a smaller batch, smaller pictures or a smaller model would need less"
	}
	return ""
}

// measure lets the trainer measure a few steps of the baseline on each data set, some times, on as many cores as a trial has.
func (a *app) measure(ctx context.Context, spec studies.Spec, backend trainer.Backend, t *forecast.Times, times, cores int) (trainer.Estimate, error) {
	prober, ok := backend.(trainer.Prober)
	if !ok {
		t.Note = "this trainer cannot tell in advance how long a trial takes; once trials with these settings are in the database, plan goes by them"
		return trainer.Estimate{}, nil
	}
	fmt.Fprintln(a.stderr, "measuring a few steps ...")
	dir, err := os.MkdirTemp("", "mapsweep-probe-")
	if err != nil {
		return trainer.Estimate{}, fmt.Errorf("make folder for the probe: %w", err)
	}
	defer os.RemoveAll(dir)
	devices, back, err := a.leaseSteps(ctx, spec.Trainer)
	if err != nil {
		return trainer.Estimate{}, fmt.Errorf("measure a few steps: %w", err)
	}
	defer back()
	job := trainer.Job{Params: spec.Baseline, Epochs: spec.Trainer.Epochs, Seed: design.Seed(spec.Seed, 0),
		Threads: cores, Devices: devices, Split: spec.Objective.Split, Dir: dir}
	data := spec.Trainer.Data
	if len(data) == 0 {
		data = []string{""}
	}
	t.ByData = make([][]float64, len(data))
	var notes []string
	var one trainer.Estimate
	for i := range data {
		job.Data = data[i]
		for range times {
			if one, err = prober.Probe(ctx, job); err != nil {
				return one, fmt.Errorf("measure a few steps: %w%s", err, needLess(err))
			}
			if one.Seconds > 0 {
				t.ByData[i] = append(t.ByData[i], one.Seconds)
			}
		}
		note := one.Note
		if len(data) > 1 {
			note = job.Data + ": " + note
		}
		notes = append(notes, note)
	}
	t.Note = strings.Join(notes, "\n")
	if times > 1 {
		t.Note += fmt.Sprintf("; the last of %d times", times)
	}
	return one, nil
}

// loadOf is what the study has to do.
func loadOf(spec studies.Spec, p *planned) forecast.Load {
	l := forecast.Load{Trials: p.Trials, Least: p.Least}
	if p.Plan != nil && spec.Tune != nil {
		for _, c := range tuned.Children(spec, *p.Plan) {
			if len(c.Spec.Factors) > 0 {
				l.Tunings++
			}
		}
	}
	return l
}

// checkpointSize is that of a past trial that is still on disk, or of the probe; 0: not known.
func (a *app) checkpointSize(past forecast.Past, one trainer.Estimate) int64 {
	for _, c := range past.Checkpoints {
		if st, err := os.Stat(filepath.Join(a.trialDir(c.Study, c.Number), c.Path)); err == nil && st.Mode().IsRegular() {
			return st.Size()
		}
	}
	return one.Checkpoint
}

// fewTrials is up to how many trials a database says little of what one takes in it.
const fewTrials = 5

// perTrial is what a trial takes in the database, by those that are there; 0: not known.
func (a *app) perTrial(past forecast.Past) int64 {
	st, err := os.Stat(a.db)
	if err != nil || past.All < fewTrials {
		return 0
	}
	return st.Size() / int64(past.All)
}

// noiseUnknown says why the noise between seeds is not known, and how to measure it.
func noiseUnknown(spec studies.Spec, past forecast.Past, study string) string {
	seeds := 0
	for _, scores := range past.Baseline {
		seeds = max(seeds, len(scores))
	}
	if seeds > 1 {
		return fmt.Sprintf("how much seeds differ is not known: all %d finished seeds of the baseline score the same", seeds)
	}
	t := "how much seeds differ is not known: no two seeds of the baseline with these settings are in the database"
	if spec.Tune != nil || spec.Design == studies.DesignVariants || len(spec.Factors) == 0 {
		return t + "; a study of the baseline alone, with replicates: 5, would tell"
	}
	return t + fmt.Sprintf(". To measure it: mapsweep run %s --as %s-noise --set 'factors={}' --set design=one-factor --set replicates=5", study, spec.Name)
}

// printCosts writes what is known of time, disk and noise.
func printCosts(w io.Writer, spec studies.Spec, p *planned) {
	if f := p.Forecast; f != nil {
		fmt.Fprintln(w)
		printForecast(w, spec, *f)
	}
	if d := p.Disk; d != nil {
		printDisk(w, *d)
	}
	if p.Matches != nil {
		fmt.Fprintln(w, p.Matches)
	}
	if len(p.Noise)+len(p.Unknown) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range p.Noise {
		printNoise(w, spec, n)
	}
	for _, u := range p.Unknown {
		fmt.Fprintf(w, "note: %s\n", u)
	}
}

func printForecast(w io.Writer, spec studies.Spec, f forecast.Forecast) {
	if f.TrialSeconds > 0 {
		fmt.Fprintf(w, "forecast: %s a trial, %s in all, %s device-hours", duration(seconds(f.TrialSeconds)),
			between(duration(seconds(f.LeastWallSeconds)), duration(seconds(f.WallSeconds)), f.Least > 0),
			between(fmt.Sprintf("%.2g", f.LeastDeviceHours), fmt.Sprintf("%.2g", f.DeviceHours), f.Least > 0))
		if f.P90 > 0 {
			fmt.Fprintf(w, " (P10 %.2g, P90 %.2g)", f.P10, f.P90)
		}
		fmt.Fprintln(w)
		if f.TuningHours > 0 {
			fmt.Fprintf(w, "  of them %.3g device-hours are those of %s\n", f.TuningHours, count(f.Tunings, "tuning"))
			if per := spec.Tune.DeviceHours * 3600 / f.TrialSeconds; per < 2 {
				fmt.Fprintf(w, "note: a tuning of %s pays for %.1f trials: there is hardly anything to choose from\n", hours(spec.Tune.DeviceHours), per)
			}
		}
		if f.Epochs > 0 {
			fmt.Fprintf(w, "  %s lets a trial run %.3g of %d epochs on average\n", spec.Search.Pruner, f.Epochs, spec.Trainer.Epochs)
		}
	}
	if f.Note != "" {
		fmt.Fprintln(w, f.Note)
	}
	if f.TrialSeconds > 0 && f.Parallel > 1 && f.Beside == 0 {
		fmt.Fprintf(w, "note: measured alone; how much %d trials at a time slow each other down is not known\n", f.Parallel)
	}
}

func printDisk(w io.Writer, d forecast.Disk) {
	var parts []string
	if d.Checkpoint > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s", count(d.Kept, "checkpoint"), byteSize(d.Checkpoint)))
	} else {
		parts = append(parts, fmt.Sprintf("%s of a size that is not known yet", count(d.Kept, "checkpoint")))
	}
	if d.Database > 0 {
		parts = append(parts, fmt.Sprintf("the database grows by %s", byteSize(d.Database)))
	} else {
		parts = append(parts, "how much the database grows is not known yet")
	}
	fmt.Fprintf(w, "disk: %s\n", strings.Join(parts, ", "))
}

// byteSize writes a size as people read it.
func byteSize(n int64) string {
	switch x := float64(n); {
	case x >= 1e9:
		return fmt.Sprintf("%.3g GB", x/1e9)
	case x >= 1e6:
		return fmt.Sprintf("%.3g MB", x/1e6)
	}
	return fmt.Sprintf("%.3g kB", float64(n)/1e3)
}

// printNoise says how much seeds differ, and what the study can therefore see.
func printNoise(w io.Writer, spec studies.Spec, n forecast.Noise) {
	on := ""
	if n.Data != "" {
		on = " on " + n.Data
	}
	size := func(x float64) string { return sizeOf(spec.Objective.Metric, x) }
	fmt.Fprintf(w, "noise: the baseline's %s%s has a standard deviation of %s over %s (95 %% interval %s to %s), from %s\n",
		spec.Objective.Metric, on, size(n.SD), count(n.Seeds, "seed"), size(n.Low), size(n.High), studyNames(n.Studies))
	if n.RhoPairs > 0 {
		fmt.Fprintf(w, "  variants correlate with it over seeds by %.2f (%s)\n", n.Rho, count(n.RhoPairs, "pair"))
	} else {
		fmt.Fprintln(w, "  whether pairing by seed helps is not known; taken as not")
	}
	if n.Smallest > 0 {
		fmt.Fprintf(w, "power: with %s effects from %s on are shown with a chance of 80 %%, after correction\n", count(spec.Replicates, "replicate"), size(n.Smallest))
	} else {
		fmt.Fprintf(w, "power: %s cannot show any effect\n", count(spec.Replicates, "replicate"))
	}
	for _, o := range n.Outlooks {
		fmt.Fprintf(w, "  until settled, %s: %.0f %% better or worse, %.0f %% equivalent, %.0f %% not settled; %.1f replicates in the mean (P10 %d, P90 %d)\n",
			o.Why, 100*(o.Clear+o.False), 100*o.Equivalent, 100*o.Open, o.Mean, o.P10, o.P90)
	}
	for _, k := range n.Needs {
		if k.More {
			fmt.Fprintf(w, "  for %s (%s) more than %d replicates would be needed\n", k.Why, size(k.Effect), k.Replicates)
		} else {
			fmt.Fprintf(w, "  for %s (%s) about %s would be needed\n", k.Why, size(k.Effect), count(k.Replicates, "replicate"))
		}
	}
}

// sizeOf writes a difference of a metric: fractions in points.
func sizeOf(metric string, x float64) string {
	switch points := fmt.Sprintf("%.2g", 100*x); {
	case !studies.IsFraction(metric):
	case points == "1":
		return "1 point"
	default:
		return points + " points"
	}
	return fmt.Sprintf("%.2g", x)
}

// expected is the forecast that a new study gets before its first trial, from past trials of its settings or else one
// probe; nil where nothing is known, and for a study that is there already.
func (a *app) expected(ctx context.Context, store trials.Reader, spec studies.Spec, backend trainer.Backend, parallel int) (*trials.Forecast, error) {
	if _, err := store.Study(ctx, spec.Name); !errors.Is(err, trials.ErrNoStudy) {
		return nil, err
	}
	past, err := readPast(ctx, store, spec, local.Share(parallel))
	if err != nil {
		return nil, err
	}
	if _, ok := backend.(trainer.Prober); ok && !past.Times.Known() {
		if _, err := a.measure(ctx, spec, backend, &past.Times, 1, local.Share(parallel)); err != nil {
			return nil, err
		}
	}
	p, err := layOut(spec)
	if err != nil || !past.Times.Known() {
		return nil, err
	}
	f := forecast.New(spec, loadOf(spec, p), parallel, past.Times)
	return &trials.Forecast{Trials: f.Trials, Parallel: f.Parallel, TrialSeconds: f.TrialSeconds, DeviceHours: f.DeviceHours - f.TuningHours,
		P10: max(0, f.P10-f.TuningHours), P90: max(0, f.P90-f.TuningHours), Source: f.Note}, nil
}

// register are the attributes that a study gets with its creation: the claim that it checks, and what it is expected
// to take. A study runs without a forecast, too.
func (a *app) register(ctx context.Context, store trials.Reader, spec studies.Spec, backend trainer.Backend, hw hardware, o runOptions) (map[string]json.RawMessage, error) {
	attrs := map[string]json.RawMessage{}
	maps.Copy(attrs, o.check.attrs())
	if o.confirms != nil {
		attrs[trials.AttrConfirms] = trials.Attr(*o.confirms)
	}
	parallel := o.parallel
	if parallel == 0 {
		var err error
		if parallel, err = hw.begin(spec); err != nil {
			return nil, err
		}
	}
	f, err := a.expected(ctx, store, spec, backend, parallel)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		fmt.Fprintf(a.notes, "warning: no forecast: %v\n", err)
	case f != nil:
		attrs[trials.AttrForecast] = trials.Attr(*f)
	}
	return attrs, nil
}

// printExpected writes the forecast of a study that begins.
func printExpected(w io.Writer, f trials.Forecast) {
	fmt.Fprintf(w, "forecast: %s for %s, %.2g device-hours (%s)\n", reports.Span(seconds(f.Wall(f.Trials))), count(f.Trials, "trial"), f.DeviceHours, strings.ReplaceAll(f.Source, "\n", "; "))
}
