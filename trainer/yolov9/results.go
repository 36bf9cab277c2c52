package yolov9

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"

	"github.com/mapsweep/mapsweep/trainer/internal/table"
	"github.com/mapsweep/mapsweep/trials"
)

// resultsName is the table that the official code appends a row to after each epoch, and epochColumn its first column.
const (
	resultsName = "results.csv"
	epochColumn = "epoch"
)

// columns of results.csv under the names of metrics. x/lr0 is the learning rate of biases, x/lr1 that of
// weights and x/lr2 that of normalisation.
var columns = map[string]string{
	"train/box_loss": "loss/box", "train/cls_loss": "loss/cls", "train/dfl_loss": "loss/dfl",
	"metrics/precision": "precision", "metrics/recall": "recall", "metrics/mAP_0.5": "mAP50", "metrics/mAP_0.5:0.95": "mAP50-95",
	"val/box_loss": "val-loss/box", "val/cls_loss": "val-loss/cls", "val/dfl_loss": "val-loss/dfl",
	"x/lr0": "lr/bias", "x/lr1": "lr/weights", "x/lr2": "lr/norm",
}

var (
	scored    = []string{"metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95"}
	validated = []string{"val/box_loss", "val/cls_loss", "val/dfl_loss"}
	trained   = []string{"train/box_loss", "train/cls_loss", "train/dfl_loss"}
)

// reading says what the columns of a run mean.
type reading struct {
	script string // train.py computes validation losses, the others write zeros
	noval  bool   // only the last row is validated, the others have zeros
	every  int    // validation every so many epochs, nan between
	epochs int
	gains  map[string]float64 // of the training losses, as multiples of the official ones
}

// measurement translates a row; its epoch counts from 0 in the file and from 1 here. Values that stand for
// "not measured" are left out: validation losses of the dual and triple scripts, which are always 0, and
// scores of epochs without validation.
func (r reading) measurement(row table.Row) trials.Measurement {
	m := trials.Measurement{Epoch: row.Epoch + 1, Metrics: map[string]float64{}}
	for column, name := range columns {
		if v, ok := row.Values[column]; ok {
			m.Metrics[name] = v
		}
	}
	if r.script != scriptSingle && all(row, validated, isZero) {
		drop(m, validated)
	}
	if r.noval && m.Epoch < r.epochs && all(row, scored, isZero) || r.every > 1 && all(row, scored, math.IsNaN) {
		drop(m, scored)
		drop(m, validated)
	}
	ap50, ok := m.Metrics["mAP50"]
	ap, ok2 := m.Metrics["mAP50-95"]
	if ok && ok2 {
		m.Metrics["fitness"] = fitness(ap50, ap)
	}
	return m
}

// fitness is what the official code chooses its best epoch by (utils/metrics.py).
func fitness(ap50, ap float64) float64 { return 0.1*ap50 + 0.9*ap }

// exploded is a training loss beyond which a run has diverged, at the official gains. Losses begin below 100, and
// those of runs that learn never come near; a run whose loss is that large scores 0 for ever, without a nan.
const exploded = 1e6

// lost names a training loss of the row that is not finite, or has exploded; "" if all are sound. Gains are
// part of the losses, so larger ones move the limit.
func (r reading) lost(row table.Row) string {
	for _, c := range trained {
		v, ok := row.Values[c]
		if ok && (math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > exploded*max(1, r.gains[c])) {
			return columns[c]
		}
	}
	return ""
}

func all(row table.Row, names []string, is func(float64) bool) bool {
	for _, n := range names {
		if v, ok := row.Values[n]; ok && !is(v) {
			return false
		}
	}
	return true
}

func isZero(v float64) bool { return v == 0 }

func drop(m trials.Measurement, names []string) {
	for _, n := range names {
		delete(m.Metrics, columns[n])
	}
}

// epochTimes reads the seconds of each epoch (from 0) that the launcher notes before the epoch's row.
func epochTimes(attempt string) map[int]float64 {
	data, err := os.ReadFile(filepath.Join(attempt, "times.json"))
	if err != nil {
		return nil
	}
	var times map[int]float64
	if json.Unmarshal(data, &times) != nil {
		return nil
	}
	return times
}
