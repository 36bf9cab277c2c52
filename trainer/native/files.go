package native

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// Files of a trial's directory, beside the checkpoints.
const (
	logName       = "trial.log"
	effectiveName = "effective.json"
	curvesName    = "curves.csv"
)

// tailLines is how much of the log a failure carries.
const tailLines = 20

func (r *run) path(name string) string { return filepath.Join(r.job.Dir, name) }

// trialLog writes plain lines for people, and remembers the last ones.
type trialLog struct {
	file  *os.File
	lines []string
	err   error
}

// openFiles opens the log, going on with one that is there, and writes effective.json.
func (r *run) openFiles() (*trialLog, error) {
	if old, err := filepath.Glob(r.path("*.part-*")); err == nil {
		for _, p := range old { // left behind by a killed run
			if err := os.Remove(p); err != nil {
				return nil, fmt.Errorf("clear trial directory: %w", err)
			}
		}
	}
	f, err := os.OpenFile(r.path(logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open trial log: %w", err)
	}
	l := &trialLog{file: f}
	l.printf("trial %d: %s on %s (%d images, scored on %d of %s), seed %d, %d epochs of %d steps, %s",
		r.job.Number, r.b.model.name, r.data.Name, len(r.data.Train), len(r.val), r.job.Split, r.job.Seed, r.job.Epochs, r.steps, r.arithmetic())
	l.printf("%.0f MiB for the network, the optimiser and averages", float64(r.engine.bytes())/(1<<20))
	if most := r.mostSide(); most != r.data.Size {
		l.printf("batches of up to %d pixels a side", most)
	}
	if r.from != "" {
		l.printf("weights from %s", r.from)
	}
	if r.pace.Step > 0 {
		epoch := len(r.curves)
		l.printf("resumed at epoch %d, after step %d of %d", epoch+1, r.pace.Step-epoch*r.steps, r.steps)
	}
	all := map[string]any{
		"params": r.effective, "model": r.b.model.name, "data": r.data.Name, "data_hash": r.data.Hash, "split": r.job.Split,
		"image_size": r.data.Size, "bytes": r.engine.bytes(), "epochs": r.job.Epochs, "batch": r.b.cfg.Batch, "seed": r.job.Seed, "precision": r.b.cfg.Precision,
		"convolution":     r.b.cfg.Convolution,
		"instruction_set": kernels.ISA(), "parameters": r.net.ParamCount(), "device": CPU,
	}
	if r.choice != nil {
		l.printf("%s", r.choice.words())
		all["convolutions"] = r.choice
	}
	if gpu := r.device.gpu; gpu != nil {
		all["device"], all["arithmetic"] = r.device.name()+" "+gpu.Device.Name, r.device.arithmetic()
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(r.path(effectiveName), append(data, '\n'), 0o644)
	}
	if err != nil {
		return l, fmt.Errorf("write %s: %w", effectiveName, err)
	}
	return l, nil
}

// arithmetic says in words how the run computes.
func (r *run) arithmetic() string {
	text := r.device.words()
	if r.b.cfg.Precision == BF16 {
		text += ", bf16"
		if r.device.gpu == nil {
			text += " by " + kernels.BF16()
		}
	}
	if c := r.b.cfg.Convolution; c == Direct || c == Fastest {
		text += ", " + c + " convolutions"
	}
	return text
}

func (l *trialLog) printf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if l.lines = append(l.lines, line); len(l.lines) > tailLines {
		l.lines = l.lines[1:]
	}
	if _, err := fmt.Fprintln(l.file, line); err != nil && l.err == nil {
		l.err = err
	}
}

// epoch writes the line of an epoch.
func (l *trialLog) epoch(epoch, epochs int, m map[string]float64, took time.Duration) {
	score := ""
	if v, ok := m["mAP50-95"]; ok {
		score = fmt.Sprintf("  mAP50-95 %.4f  mAP50 %.4f", v, m["mAP50"])
	}
	l.printf("epoch %d/%d  box %.4f  cls %.4f  dfl %.4f%s  lr %.3g  %.1f s", epoch, epochs,
		m["loss/box"], m["loss/cls"], m["loss/dfl"], score, m["lr/weights"], took.Seconds())
}

func (l *trialLog) tail() string { return strings.Join(l.lines, "\n") }

// close reports the first error of any line.
func (l *trialLog) close() error {
	err := l.err
	if e := l.file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write trial log: %w", err)
	}
	return nil
}

// writeCurves writes all finished epochs anew: a resumed run's file is that of an
// uninterrupted one. A metric that an epoch did not measure is an empty cell.
func (r *run) writeCurves() error {
	columns := append([]string{"loss/box", "loss/cls", "loss/dfl", "lr/weights", "lr/bias"}, r.scorer.names()...)
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	rows := [][]string{append([]string{"epoch"}, columns...)}
	for _, c := range r.curves {
		row := []string{strconv.Itoa(c.Epoch)}
		for _, name := range columns {
			cell := ""
			if v, ok := c.Metrics[name]; ok {
				cell = strconv.FormatFloat(v, 'g', 8, 64)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write %s: %w", curvesName, err)
	}
	if err := os.WriteFile(r.path(curvesName), buf.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", curvesName, err)
	}
	return nil
}
