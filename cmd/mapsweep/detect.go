package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// weightsHelp says what val and predict take for WEIGHTS.
const weightsHelp = `WEIGHTS is a checkpoint of the native trainer (last.ckpt, best.ckpt), the folder of a trial or of 'mapsweep train',
or a trial as STUDY/NUMBER, such as quickstart/3. Where training kept a moving average of the weights, that is used.`

// weights is where a detector comes from, and what its trial was scored on.
type weights struct {
	path        string
	data, split string // "": not known
}

// findWeights finds a checkpoint by its path, or that of a trial.
func (a *app) findWeights(ctx context.Context, ref string) (weights, error) {
	if pathExists(ref) {
		return weights{path: ref}, nil
	}
	study, number, ok := cutLast(ref, "/")
	if _, err := strconv.Atoi(number); !ok || err != nil {
		return weights{}, fmt.Errorf("no checkpoint %s: give a file, the folder of a trial, or a trial as STUDY/NUMBER", ref)
	}
	var w weights
	err := a.withStudy(ctx, study, func(_ trials.Reader, snap *reports.Snapshot) error {
		t, err := findTrial(snap, number)
		if err != nil {
			return err
		}
		w, err = a.trialWeights(snap, t)
		return err
	})
	return w, err
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// trialWeights is the checkpoint that a trial left behind.
func (a *app) trialWeights(snap *reports.Snapshot, t trials.Trial) (weights, error) {
	study := snap.Study.Name
	if b := snap.Spec.Trainer.Backend; b != studies.BackendNative {
		return weights{}, usagef("study %s trains with %s: only checkpoints of the native trainer can be read", study, b)
	}
	checkpoint := func(t trials.Trial) string {
		rel := t.Text(sweep.AttrCheckpoint)
		if rel == "" || !filepath.IsLocal(rel) {
			return ""
		}
		return filepath.Join(a.trialDir(study, t.Number), rel)
	}
	w := weights{path: checkpoint(t), data: t.Text(trials.AttrData), split: snap.Spec.Objective.Split}
	if w.data == "" && len(snap.Spec.Trainer.Data) > 0 {
		w.data = snap.Spec.Trainer.Data[0]
	}
	if w.path != "" && pathExists(w.path) {
		return w, nil
	}
	var kept []string
	for _, o := range snap.Trials {
		if p := checkpoint(o); p != "" && pathExists(p) {
			kept = append(kept, strconv.Itoa(o.Number))
		}
	}
	there := "no trial of it has one"
	if len(kept) > 0 {
		there = "there are those of trials " + strings.Join(kept, ", ")
	}
	return weights{}, fmt.Errorf("trial %d of study %s has no checkpoint in %s; %s (keep: in the study file says how many stay)", t.Number, study, a.trialDir(study, t.Number), there)
}

// detectOptions are the flags that val and predict share.
type detectOptions struct {
	size, threads int
	device        string
	model, names  string // of a file of weights
	conf, iou     float64
	most          int
}

func (o *detectOptions) add(c *cobra.Command, conf, iou, most string) {
	f := c.Flags()
	f.IntVar(&o.size, "image-size", 0, "side of the square that pictures are fitted into, in pixels (default: that of training)")
	f.IntVar(&o.threads, "threads", 0, "networks that run side by side or, for few pictures, threads that share the work of one; results do not depend on it (default: one a processor)")
	f.StringVar(&o.device, "device", native.CPU, "cpu, auto (a GPU where there is one), cuda or cuda:0; results differ by device")
	f.StringVar(&o.model, "model", "", "model of a file of weights, by name or by the path of a model file (default: found in the file)")
	f.StringVar(&o.names, "names", "", "names of the classes of a file of weights, in its order: a,b,c, or a file with one a line (default: found in the file)")
	f.Float64Var(&o.conf, "conf", o.conf, "least confidence of a detection, 0 to 1"+conf)
	f.Float64Var(&o.iou, "iou", o.iou, "detections that overlap a better one of their class by more are suppressed, 0 to 1"+iou)
	f.IntVar(&o.most, "max-det", o.most, "most detections of a picture"+most)
}

func (o *detectOptions) check(c *cobra.Command) error {
	changed := c.Flags().Changed
	switch {
	case changed("conf") && !(o.conf >= 0 && o.conf < 1):
		return usagef("--conf %v: 0 or more and less than 1", o.conf)
	case changed("iou") && !(o.iou >= 0 && o.iou <= 1):
		return usagef("--iou %v: 0 to 1", o.iou)
	case changed("max-det") && o.most < 1:
		return usagef("--max-det %d: at least 1", o.most)
	case changed("threads") && o.threads < 1:
		return usagef("--threads %d: at least 1", o.threads)
	case o.size < 0:
		return usagef("--image-size %d is negative", o.size)
	}
	if o.threads == 0 {
		o.threads = runtime.GOMAXPROCS(0)
	}
	if err := local.CheckDevice(o.device); err != nil {
		return usagef("--device: %w", err)
	}
	return nil
}

// nms are the limits of suppression; those that enter are not limited.
func (o *detectOptions) nms() evaluate.NMSOptions {
	return evaluate.NMSOptions{Score: float32(o.conf), IoU: o.iou, Keep: o.most}
}

// short is a float32 as it was written: 0.005 and not 0.004999999888241291.
func short(v float32) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	if err != nil {
		return float64(v) // infinite, or no number
	}
	return f
}

// groupSize is how many pictures one network takes in turn: on a GPU whole batches.
func groupSize(d *native.Detector) int {
	const least = 8
	if d.Device == native.CPU {
		return least
	}
	return (least + d.Batch() - 1) / d.Batch() * d.Batch()
}

// mostBeside is how many goroutines bring pictures to a GPU and look at what it found: each has the outputs of a batch.
const mostBeside = 4

// inGroups lets so many copies of the detector first, each on its own goroutine, work on n things in groups; work gets
// the bounds of a group. Where there are fewer groups, the copies that there are have several threads. It ends first.
func inGroups(ctx context.Context, first *native.Detector, n, copies int, work func(ctx context.Context, d *native.Detector, from, to int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	size := groupSize(first)
	if first.Device != native.CPU {
		copies = min(copies, mostBeside)
	}
	loop := func(d *native.Detector) error {
		for {
			from := int(next.Add(int64(size))) - size
			if from >= n {
				return nil
			}
			if err := work(ctx, d, from, min(from+size, n)); err != nil {
				return err
			}
		}
	}
	groups := max(1, (n+size-1)/size)
	if threads := copies / groups; threads > 1 {
		if err := first.UseThreads(threads); err != nil {
			return err
		}
	}
	g.Go(func() error { return loop(first) })
	for range min(copies, groups) - 1 {
		g.Go(func() error {
			d, err := first.Copy()
			if err != nil {
				return err
			}
			defer d.Close()
			return loop(d)
		})
	}
	return g.Wait()
}

// sameClasses says how the classes of a detector and of a data set differ, or nil.
func sameClasses(d *native.Detector, data string, classes []string) error {
	if slices.Equal(d.Classes, classes) {
		return nil
	}
	return usagef("the detector knows the classes %s, data %s has %s: they must be the same, in the same order",
		listed(d.Classes), data, listed(classes))
}

// listed are up to so many names.
func listed(names []string) string {
	const most = 20
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}
