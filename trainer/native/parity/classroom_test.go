//go:build integration

package parity_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
	"github.com/mapsweep/mapsweep/trials"
)

const (
	lessonBatch = 16
	firstSteps  = 5 // that are compared one by one
)

// classroom is a lesson with its data.
type classroom struct {
	*lesson
	data    *dataset.Dataset
	backend *native.Backend
	steps   int // of an epoch
}

func newClassroom(t *testing.T, l *lesson) *classroom {
	t.Helper()
	b, err := native.New(native.Config{Model: l.model, Data: []string{l.data}, ImageSize: l.size, Epochs: l.epochs, Batch: lessonBatch, ValEvery: l.epochs, NoMatches: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dataset.Load(t.Context(), l.data, dataset.Options{Size: l.size})
	if err != nil {
		t.Fatal(err)
	}
	c := &classroom{lesson: l, data: d, backend: b, steps: len(d.Train) / lessonBatch}
	t.Logf("%s on %s, %d and %d pictures of %d px, %d epochs of %d steps of %d", l.model, l.name, len(d.Train), len(d.Val), l.size, l.epochs, c.steps, lessonBatch)
	return c
}

func (c *classroom) job(seed int64, dir string) trainer.Job {
	return trainer.Job{Params: c.params, Epochs: c.epochs, Seed: seed, Threads: 1, Data: c.lesson.data, Dir: dir}
}

// trace runs our first steps, and says which knobs there are.
func (c *classroom) trace(t *testing.T, seed int64) trainer.Trace {
	t.Helper()
	all, err := c.backend.Trace(t.Context(), []trainer.Job{c.job(seed, "")}, trainer.TraceOptions{Steps: min(firstSteps, c.steps*c.epochs)})
	if err != nil || all[0].Failed != "" {
		t.Fatal(err, all[0].Failed)
	}
	return all[0]
}

// ours trains with the trainer that people use, and scores what it leaves.
func (c *classroom) ours(t *testing.T, seed int64) (map[string]float64, error) {
	var last map[string]float64
	dir := t.TempDir()
	if _, err := c.backend.Train(t.Context(), c.job(seed, dir), func(m trials.Measurement) { last = m.Metrics }); err != nil {
		return nil, err
	}
	set, err := native.Export(dir)
	if err != nil {
		return nil, err
	}
	score, err := c.examine(set)
	if err != nil {
		return nil, err
	}
	for name, v := range score {
		if math.Abs(v-last[name]) > 1e-3 {
			return nil, fmt.Errorf("seed %d: %s is %v here, by the trainer %v", seed, name, v, last[name])
		}
	}
	for _, k := range parts {
		score["loss/"+k] = last["loss/"+k]
	}
	return score, nil
}

// parts of the loss, as learn.py lists them.
var parts = []string{"box", "cls", "dfl"}

// theirs trains in PyTorch and scores what it leaves. It also returns losses and norm of each step.
func (c *classroom) theirs(t *testing.T, seed int64, knobs trials.Params) (score map[string]float64, steps [][]float64, err error) {
	dir := t.TempDir()
	settings, start, end := filepath.Join(dir, "settings.json"), filepath.Join(dir, "start.safetensors"), filepath.Join(dir, "end.safetensors")
	if err = c.settings(settings, knobs); err == nil {
		err = c.start(start, seed, knobs)
	}
	if err == nil {
		steps, err = c.lecture(t, seed, settings, start, end)
	}
	if err != nil {
		return nil, nil, err
	}
	set, err := weights.Read(end)
	if err != nil {
		return nil, nil, err
	}
	if score, err = c.examine(set); err != nil {
		return nil, nil, err
	}
	for i, k := range parts { // means over the last epoch
		for _, s := range steps[len(steps)-c.steps:] {
			score["loss/"+k] += s[i] / float64(c.steps)
		}
	}
	return score, steps, nil
}

// settings writes what learn.py is to do.
func (c *classroom) settings(path string, knobs trials.Params) error {
	number := func(name string) float64 { v, _ := trials.Number(knobs[name]); return v }
	sent := maps.Clone(knobs)
	for _, name := range []string{"lr0", "warmup_bias_lr"} {
		sent[name] = number(name) * *learnRates
	}
	rule := "claimers"
	if *learnRule != "" {
		rule = *learnRule
	} else if v, ok := knobs["tal_rule"].(string); ok {
		rule = v
	}
	text, err := json.Marshal(map[string]any{"model": c.model, "classes": len(c.data.Classes), "size": c.size, "batch": lessonBatch, "steps": c.steps * c.epochs,
		"warmup": max(number("warmup_epochs")*float64(c.steps), number("warmup_floor")), "rule": rule, "threads": *learnThreads, "knobs": sent})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o666)
}

// start writes the weights that a trial with this seed has at first.
func (c *classroom) start(path string, seed int64, knobs trials.Params) error {
	aux, _ := trials.Number(knobs["aux"])
	net, err := model.New(model.Config{Model: c.model, Classes: len(c.data.Classes), Width: c.size, Height: c.size, Batch: lessonBatch, Seed: seed, Aux: aux > 0})
	if err != nil {
		return err
	}
	defer net.Close()
	var set weights.Set
	for x := range net.NamedTensors() {
		arena := net.Weights()
		if x.Stat {
			arena = net.Stats()
		}
		v, err := x.Get(arena)
		if err != nil {
			return err
		}
		set.Tensors = append(set.Tensors, weights.Tensor{Name: x.Name, Type: weights.Float32, Shape: x.Shape, Values: v})
	}
	return weights.WriteSafetensors(path, &set)
}
