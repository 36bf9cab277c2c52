package native_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native"
	"github.com/mapsweep/mapsweep/trials"
)

// A fresh gelan-t predicts boxes some hundred pixels wide, against which the objects of 64-pixel scenes are so small that
// none gets a point. It is told, after the first epoch and at the end; with a smaller exponent of CIoU there is nothing to tell.
func TestNothingAssigned(t *testing.T) {
	for _, c := range []struct {
		beta float64
		told bool
	}{{6, true}, {2, false}} {
		var log bytes.Buffer
		b := backend(t, func(c *native.Config) {
			c.Model, c.Log = "gelan-t", slog.New(slog.NewTextHandler(&log, nil))
		})
		dir := t.TempDir()
		_, res := train(t, b, trainer.Job{Epochs: 1, Seed: 1, Dir: dir, Params: trials.Params{"tal_beta": c.beta, "mosaic": 0.0}})
		text, err := os.ReadFile(filepath.Join(dir, "trial.log"))
		if err != nil {
			t.Fatal(err)
		}
		for where, got := range map[string]string{"note": res.Note, "log of the trial": string(text), "log": log.String()} {
			if strings.Contains(got, "no object got a point") != c.told {
				t.Errorf("tal_beta %g: %s: %q", c.beta, where, got)
			}
		}
	}
}
