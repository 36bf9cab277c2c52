package yolov9

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

// exported is what the launcher's mode export writes: boxes are x, y, width, height in pixels of the source picture.
type exported struct {
	Names  []string `json:"names"`
	Images []string `json:"images"`
	Truths []object `json:"truths"`
	Found  []object `json:"found"`
}

type object struct {
	File  string     `json:"file"`
	Class int        `json:"class"`
	Box   [4]float64 `json:"box"`
	Score float64    `json:"score"`
}

// boxes lists objects and detections; pictures are counted in the order of e.Images.
func (e exported) boxes() (truths []evaluate.GroundTruth, found []evaluate.Detection) {
	index := map[string]int{}
	for i, f := range e.Images {
		index[f] = i
	}
	for _, o := range e.Truths {
		truths = append(truths, evaluate.Truth(index[o.File], o.Class, o.box()))
	}
	for _, o := range e.Found {
		if i, ok := index[o.File]; ok {
			found = append(found, evaluate.Detection{Image: i, Class: o.Class, Box: o.box(), Score: o.Score})
		}
	}
	return truths, found
}

// matches are the file that the database keeps of the detections.
func (e exported) matches() (trials.Artifact, error) {
	truths, found := e.boxes()
	data, err := evaluate.Match(truths, found, len(e.Images), e.Names).Encode()
	return trials.Artifact{Name: evaluate.MatchesName, MediaType: evaluate.MatchesType, Data: data}, err
}

// score computes COCO average precision under names that begin with coco/. The official mAP interpolates otherwise
// and takes 300 detections a picture, so the two differ.
func (e exported) score() map[string]float64 {
	truths, found := e.boxes()
	r := evaluate.COCO(truths, found, len(e.Images), len(e.Names))
	m := map[string]float64{}
	put := func(name string, v float64) {
		if v != evaluate.Undefined {
			m["coco/"+name] = v
		}
	}
	put("mAP50-95", r.AP)
	put("mAP50", r.AP50)
	put("mAP75", r.AP75)
	put("mAP-small", r.APSmall)
	put("mAP-medium", r.APMedium)
	put("mAP-large", r.APLarge)
	put("AR100", r.AR100)
	for i, n := range e.Names {
		put("AP/"+n, r.PerClass[i].AP)
	}
	return m
}

func (o object) box() evaluate.Box {
	return evaluate.Box{X: o.Box[0], Y: o.Box[1], W: o.Box[2], H: o.Box[3]}
}

// coco scores the weights that count and adds the scores to the last measurement, with coco/epoch, the epoch that the
// weights are of: a study that reads the best epoch scores best.pt, and earlier measurements are closed. It returns
// what the database keeps.
func (r *run) coco(ctx context.Context, weights string) ([]trials.Artifact, error) {
	if weights == "" {
		return nil, fmt.Errorf("score by COCO: there are no weights")
	}
	out := filepath.Join(r.attempt, "export.json")
	batch, _ := trials.Number(r.set.values["batch_size"])
	size, _ := trials.Number(r.set.values["imgsz"])
	p := plan{Mode: "export", Checkout: r.b.cfg.Checkout, Script: r.script, ConfigDir: filepath.Join(r.job.Dir, configName), Data: r.job.Data,
		Weights: weights, Out: out, Batch: int(batch), ImageSize: int(size), Device: r.device(), SingleCls: r.set.values["single_cls"] == true}
	path := r.attempt + ".export-plan.json"
	if err := p.write(path); err != nil {
		return nil, err
	}
	fmt.Fprintf(r.log, "mapsweep: detections of %s for the score by COCO\n", filepath.Base(weights))
	exit, err := process.Run(ctx, process.Command{Args: []string{r.python, r.start, path}, Env: r.b.environment(r.job), Dir: r.b.cfg.Checkout, Output: r.log, Grace: grace})
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("score by COCO: %w", context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("score by COCO: %w", err)
	case !exit.OK():
		f := r.failed(exit)
		f.Reason = "score by COCO: " + strings.Replace(f.Reason, "the script", "the validation script", 1)
		return nil, f
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("score by COCO: %w", err)
	}
	var e exported
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("score by COCO: read detections: %w", err)
	}
	scores := e.score()
	if _, s, ok := checkpoint(r.attempt); ok {
		switch {
		case filepath.Base(weights) == "last.pt":
			scores["coco/epoch"] = float64(s.Epoch + 1)
		case s.BestEpoch != nil && *s.BestEpoch >= 0:
			scores["coco/epoch"] = float64(*s.BestEpoch + 1)
		}
	}
	if err := r.add(scores); err != nil || r.b.cfg.NoMatches {
		return nil, err
	}
	m, err := e.matches()
	if err != nil {
		return nil, fmt.Errorf("score by COCO: %w", err)
	}
	return []trials.Artifact{m}, nil
}

// add reports the last row again, with more metrics.
func (r *run) add(more map[string]float64) error {
	all := r.rows.Rows()
	for i := len(all) - 1; i >= 0; i-- {
		m := r.reading.measurement(all[i])
		if m.Epoch > r.job.Epochs {
			continue
		}
		for k, v := range more {
			m.Metrics[k] = v
		}
		if s, ok := epochTimes(r.attempt)[all[i].Epoch]; ok {
			m.Metrics["time/epoch"] = s
		}
		m.At = trials.Now()
		r.report(m)
		return nil
	}
	return fmt.Errorf("score by COCO: results.csv has no row")
}
