package native

import (
	"context"
	"maps"
	"time"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// scorer scores a run's network on one split. Its buffers are the run's.
type scorer struct {
	classes []string
	images  []dataset.Image
	truths  []evaluate.GroundTruth
	found   []evaluate.Detection
	epoch   int // that found is of, from 1; 0: none

	perImage float64 // seconds of the last scoring for one image; 0: none yet
}

func newScorer(d *dataset.Dataset, images []dataset.Image) *scorer {
	return &scorer{classes: d.Classes, images: images, truths: Truths(images)}
}

// Truths are the objects of images, as they are scored: image i is the i-th.
func Truths(images []dataset.Image) (truths []evaluate.GroundTruth) {
	for i, m := range images {
		for _, b := range m.Boxes {
			t := evaluate.Truth(i, b.Class, evaluate.Corners(float64(b.X0), float64(b.Y0), float64(b.X1), float64(b.Y1)))
			t.Crowd = b.Crowd
			if b.Area > 0 {
				t.Area = float64(b.Area)
			}
			truths = append(truths, t)
		}
	}
	return truths
}

// Metrics names what an epoch reports; see trainer.Measurer.
func (b *Backend) Metrics() []string {
	return append([]string{"AP/", "loss/box", "loss/cls", "loss/dfl", "lr/weights", "lr/bias", metricParameters, metricGFLOP, metricEpoch, metricTrain, metricImage}, metricNames...)
}

// Metrics of what a model costs: they do not enter checkpoints or curves.csv, because times differ from run to run.
const (
	metricParameters = "model/parameters"
	metricGFLOP      = "model/gflops"   // 1e9 floating-point operations of one image in evaluation, a multiply-add counted as two
	metricEpoch      = "time/epoch"     // seconds of training and scoring
	metricTrain      = "time/train"     // sum of those so far; the engine adds them up
	metricMemory     = "gpu/memory-mib" // most that the run held on its GPU; the name is that of what is sampled where trainers do not tell
	metricImage      = "time/image"     // seconds of scoring one image: forward pass, decoding and suppression, on the trial's threads
)

// costs are an epoch's metrics together with what the model costs.
func (r *run) costs(metrics map[string]float64) map[string]float64 {
	m := maps.Clone(metrics)
	eval, _ := r.net.ForwardFLOP()
	m[metricEpoch] = r.took.Seconds()
	m[metricParameters], m[metricGFLOP] = float64(r.net.ParamCount()), float64(eval)/1e9
	if mib := r.heldMiB(); mib > 0 {
		m[metricMemory] = float64(mib)
	}
	if _, scored := m[metricNames[0]]; scored && r.scorer.perImage > 0 {
		m[metricImage] = r.scorer.perImage
	}
	return m
}

// metricNames are those of score, in the order of curves.csv, before the classes.
var metricNames = []string{"mAP50-95", "mAP50", "mAP75", "mAP-small", "mAP-medium", "mAP-large", "AR100", "precision", "recall"}

// names lists what score can measure.
func (s *scorer) names() []string {
	all := append([]string(nil), metricNames...)
	for _, c := range s.classes {
		all = append(all, "AP/"+c)
	}
	return all
}

// score adds the metrics of the scored split to m, measured with the average of the
// weights, or with the weights where there is none. What has no object to be measured by
// is left out.
func (r *run) score(ctx context.Context, m map[string]float64) error {
	s, began := r.scorer, time.Now()
	if err := r.detect(ctx); err != nil {
		return err
	}
	s.perImage = time.Since(began).Seconds() / float64(max(1, len(s.images)))
	res := evaluate.COCO(s.truths, s.found, len(s.images), len(s.classes))
	precision, recall := bestF1(res, len(s.classes))
	put := func(name string, v float64) {
		if v != evaluate.Undefined {
			m[name] = v
		}
	}
	for i, v := range []float64{res.AP, res.AP50, res.AP75, res.APSmall, res.APMedium, res.APLarge, res.AR100, precision, recall} {
		put(metricNames[i], v)
	}
	for k, name := range s.classes {
		put("AP/"+name, res.PerClass[k].AP)
	}
	return nil
}

// detect fills the scorer's detections with those of the average of the weights, or of the weights where there is none.
func (r *run) detect(ctx context.Context) error {
	s := r.scorer
	s.found = s.found[:0]
	back, err := r.engine.scoring()
	if err != nil {
		return err
	}
	defer back()
	room := func(floats int) []float32 {
		r.needImages()
		return r.batch.images[:floats]
	}
	return r.engine.evaluate(ctx, s.images, room, s.collect)
}

// collect adds the detections of an image of the split: scores above evaluate.DefaultNMS.Score, corners clipped to the picture.
func (s *scorer) collect(image int, all []evaluate.Candidate) {
	for _, c := range all {
		s.found = append(s.found, evaluate.Detection{Image: image, Class: c.Class, Score: float64(c.Score),
			Box: evaluate.Corners(float64(c.X0), float64(c.Y0), float64(c.X1), float64(c.Y1))})
	}
}

// bestF1 is precision and recall at IoU 0.5 where each class has its best F1, averaged over
// the classes that have objects. It reads COCO's curve, whose precision is the best at
// that recall or a higher one, at 101 points of recall.
func bestF1(res *evaluate.Result, classes int) (precision, recall float64) {
	points, n := evaluate.RecallPoints(), 0
	for k := range classes {
		f, p, r := -1.0, 0.0, 0.0
		for i, v := range res.Precision(0, k, evaluate.AreaAll) {
			if v == evaluate.Undefined {
				break
			}
			if g := 2 * v * points[i] / (v + points[i] + 1e-16); g > f {
				f, p, r = g, v, points[i]
			}
		}
		if f >= 0 {
			precision, recall, n = precision+p, recall+r, n+1
		}
	}
	if n == 0 {
		return evaluate.Undefined, evaluate.Undefined
	}
	return precision / float64(n), recall / float64(n)
}
