package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// goOn is the checkpoint in the folder of a training that is to be gone on with, or "". One that is there unasked will be
// replaced, which is said.
func (a *app) goOn(backend trainer.Backend, dir string, resume bool) (string, error) {
	r, ok := backend.(trainer.Resumer)
	if !ok {
		return "", nil
	}
	path, epoch := r.Latest(dir)
	switch {
	case resume && path == "":
		return "", &codeError{exitUsage, fmt.Errorf("there is no usable checkpoint in %s to go on from: leave out --resume to begin, or name another folder with --dir", dir)}
	case resume:
		fmt.Fprintf(a.stderr, "going on from %s, after epoch %d\n", path, epoch)
		return path, nil
	case path != "":
		fmt.Fprintf(a.stderr, "note: %s of an earlier training, which had finished %s, is going to be replaced; --resume goes on from it\n", path, count(epoch, "epoch"))
	}
	return "", nil
}

// epochLine is an epoch of a training for people. What was not measured is left out: scores of an epoch that was not
// scored, or of pictures without an object.
func epochLine(m trials.Measurement, epochs int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "epoch %d/%d  box %.3f  cls %.3f  dfl %.3f", m.Epoch, epochs, m.Metrics["loss/box"], m.Metrics["loss/cls"], m.Metrics["loss/dfl"])
	for _, name := range []string{"mAP50", "mAP50-95"} {
		if v, ok := m.Metrics[name]; ok {
			fmt.Fprintf(&b, "  %s %.4f", name, v)
		}
	}
	return b.String()
}

// stopped is the error of a training that was interrupted.
func stopped(backend trainer.Backend, dir string) error {
	if r, ok := backend.(trainer.Resumer); ok {
		if path, _ := r.Latest(dir); path != "" {
			return fmt.Errorf("stopped; checkpoint: %s; the same command with --resume goes on from it", path)
		}
	}
	return errors.New("stopped before the first step; there is no checkpoint")
}

// trainFailed is why a training failed. Settings that the trainer cannot run are the caller's to mend.
func trainFailed(err error) error {
	var f *trainer.Failure
	if errors.As(err, &f) && f.Class == trials.ClassInfeasible {
		return &codeError{exitUsage, errors.New(f.Reason)}
	}
	return err
}

// toldLog is a lineLog that remembers what it wrote.
type toldLog struct {
	lineLog
	told []string
}

func (h *toldLog) Handle(ctx context.Context, r slog.Record) error {
	h.told = append(h.told, r.Message)
	return h.lineLog.Handle(ctx, r)
}

// others writes those notes that were not told yet.
func (h *toldLog) others(w io.Writer, notes []string) {
	for _, n := range notes {
		if !slices.Contains(h.told, n) {
			fmt.Fprintf(w, "note: %s\n", n)
		}
	}
}
