package native

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// fingerprint is the hash of everything that must be equal for a checkpoint to be gone on
// with: settings, length, data, seed, shape, and the set of kernels or kind of device, since each rounds differently. Knobs at their
// defaults are left out, so that a version with more knobs still goes on.
func (r *run) fingerprint(start *source) string {
	all := map[string]any{
		"params": r.b.model.changed(r.effective).Key(), "epochs": r.job.Epochs, "seed": r.job.Seed, "batch": r.b.cfg.Batch,
		"model": r.b.model.name, "size": r.data.Size, "data": r.data.Hash, "split": r.job.Split, "val every": r.b.cfg.ValEvery,
		"convolution": r.b.cfg.Convolution, // files of versions without it are of another arithmetic
	}
	if here := r.device.arithmetic(); here != "" {
		all["device"] = here
	} else {
		all["instruction set"] = kernels.ISA()
	}
	if r.b.cfg.Precision != FP32 {
		all["precision"] = r.b.cfg.Precision
	}
	if start != nil {
		all["weights"] = start.hash
	}
	data, err := json.Marshal(all)
	if err != nil {
		panic("native: fingerprint: " + err.Error()) // only strings and integers
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// state visits every tensor of the run in the order in which checkpoints keep them, with
// the arena that it lies in.
func (r *run) state(visit func(info tensorInfo, t tensor, arena []float32) error) error {
	parts, err := r.engine.state()
	if err != nil {
		return err
	}
	for _, p := range parts {
		for t := range r.net.NamedTensors() {
			arena := p.weights
			if t.Stat {
				arena = p.stats
			}
			if arena == nil {
				continue
			}
			if err := visit(tensorInfo{Part: p.part, Name: t.Name, Shape: t.Shape}, t, arena); err != nil {
				return err
			}
		}
	}
	return nil
}

// tensor is what state needs of a network's named tensors.
type tensor interface {
	Get(arena []float32) ([]float32, error)
	Set(arena, values []float32) error
}

// save writes the whole state to a file of the trial's directory.
func (r *run) save(name string) error {
	h := header{
		Config: r.config, ISA: kernels.ISA(), Device: r.device.arithmetic(), Precision: r.b.cfg.Precision, Form: r.b.cfg.Convolution, Model: r.b.model.name, File: r.b.model.source(), Classes: r.data.Classes, Size: r.data.Size, Batch: r.net.Config().Batch,
		Epoch: len(r.curves), Step: r.pace.Step, Sums: [3]float64{r.sums.Box, r.sums.Class, r.sums.DFL},
		Best: r.best, Curves: r.curves, Choice: r.choice,
	}
	if r.pace.Sums {
		h.Updates, h.Pending = r.pace.Updates, r.pace.Pending
	}
	var tensors [][]float32
	err := r.state(func(info tensorInfo, t tensor, arena []float32) error {
		v, err := t.Get(arena)
		h.Tensors, tensors = append(h.Tensors, info), append(tensors, v)
		return err
	})
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return writeCheckpoint(r.path(name), h, tensors)
}

// adopt copies the checkpoint of the best epoch so far from the directory of the trial that this one goes on from.
func (r *run) adopt(from string) error {
	if r.best == nil || filepath.Clean(from) == filepath.Clean(r.job.Dir) {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(from, bestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was cleared away; if no later epoch is better, the trial has no weights of its best one
	}
	if err == nil {
		err = weights.WriteFile(r.path(bestName), data)
	}
	if err != nil {
		return fmt.Errorf("bring checkpoint of the best epoch along: %w", err)
	}
	return nil
}

// restore goes on from a checkpoint of the same configuration.
func (r *run) restore(path string) error {
	h, tensors, err := readCheckpoint(path)
	if err != nil {
		return err
	}
	if err := h.sameSet(r.device); err != nil {
		return fmt.Errorf("resume from %s: %w: remove it to start anew", path, err)
	}
	if here := r.b.cfg.Convolution; h.Form != "" && h.Form != here {
		return fmt.Errorf("resume from %s: it was made with convolution %q and this is %q (trainer.convolution or --convolution chooses): remove it to start anew", path, h.Form, here)
	}
	if h.Config != r.config {
		return fmt.Errorf("resume from %s: it belongs to another configuration, data set or seed: remove it to start anew", path)
	}
	if h.Epoch != len(h.Curves) || h.Step < h.Epoch*r.steps || h.Step > (h.Epoch+1)*r.steps {
		return fmt.Errorf("resume from %s: epoch %d, %d curves and step %d do not fit: %w", path, h.Epoch, len(h.Curves), h.Step, errNotCheckpoint)
	}
	if h.Updates < 0 || h.Pending < 0 || h.Updates+h.Pending > h.Step {
		return fmt.Errorf("resume from %s: %d updates, %d batches after them and step %d do not fit: %w", path, h.Updates, h.Pending, h.Step, errNotCheckpoint)
	}
	i := 0
	err = r.state(func(info tensorInfo, t tensor, arena []float32) error {
		if i >= len(tensors) || h.Tensors[i].Name != info.Name || h.Tensors[i].Part != info.Part {
			return fmt.Errorf("%s of %s is not where it should be: %w", info.Part, info.Name, errNotCheckpoint)
		}
		err := t.Set(arena, tensors[i])
		i++
		return err
	})
	if err == nil {
		err = r.engine.restored()
	}
	if err != nil {
		return fmt.Errorf("resume from %s: %w", path, err)
	}
	r.curves, r.best, r.choice = h.Curves, h.Best, h.Choice
	r.pace.Step, r.pace.Updates, r.pace.Pending = h.Step, h.Step, 0
	if r.pace.Sums {
		r.pace.Updates, r.pace.Pending = h.Updates, h.Pending
	}
	r.sums = loss.Parts{Box: h.Sums[0], Class: h.Sums[1], DFL: h.Sums[2]}
	return nil
}
