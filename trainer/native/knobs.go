package native

import (
	"fmt"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
	"github.com/mapsweep/mapsweep/trials"
)

// Values of knobs.
const (
	SGD     = "SGD"
	Adam    = "Adam"
	AdamW   = "AdamW"
	LION    = "LION"
	Fitness = "fitness"
)

// settings are the knobs of one run, decoded.
type settings struct {
	lr0, lrf, momentum, weightDecay          float64
	warmupEpochs, warmupMomentum, warmupBias float64
	warmupFloor                              int
	shape                                    optim.Shape
	optimizer                                string
	amsgrad                                  bool
	nominal                                  int // images whose gradients count together; 0: a batch
	clipNorm                                 float64
	freeze                                   int // first layers that are not trained
	gains                                    loss.Gains
	classes                                  loss.Classes
	method                                   assign.Method
	aux                                      float64
	auxMain                                  bool // the auxiliary head learns the main head's targets
	patience, valInterval                    int
	patienceMetric                           string
	ema                                      bool
	average                                  optim.Average
	augment                                  augment.Settings
	hsv                                      augment.HSV
	randGeometry, autoGeometry               bool
	closeMosaic                              int
	multiScale                               float64 // share by which the side of a batch varies
	syncBN                                   bool
}

// knob joins a description with the place that its value goes to.
type knob struct {
	trials.Knob
	put func(*settings, any)
}

func number(name string, def, low, high float64, help string, at func(*settings) *float64) knob {
	return knob{
		trials.Knob{Name: name, Kind: trials.Float, Default: def, Low: low, High: high, Help: help},
		func(s *settings, v any) { *at(s), _ = trials.Number(v) },
	}
}

func whole(name string, def int64, low, high float64, help string, at func(*settings) *int) knob {
	return knob{
		trials.Knob{Name: name, Kind: trials.Int, Default: def, Low: low, High: high, Help: help},
		func(s *settings, v any) { x, _ := trials.Number(v); *at(s) = int(x) },
	}
}

func choice(name string, def any, help string, put func(*settings, any), choices ...any) knob {
	return knob{trials.Knob{Name: name, Kind: trials.Categorical, Default: def, Choices: choices, Help: help}, put}
}

func (k knob) requires(p trials.Params) knob { k.Requires = p; return k }

// knobs is the table behind Knobs and the decoding of a job's parameters.
func knobs() []knob {
	withRand := trials.Params{"autoaugment": augment.RandAugment}
	withEMA := trials.Params{"ema": true}
	withSGD, withAdamW := trials.Params{"optimizer": SGD}, trials.Params{"optimizer": AdamW}
	withMosaic, withHSV := trials.Params{"mosaic": 1.0}, trials.Params{"hsv": 1.0}
	return []knob{
		number("lr0", 0.02, 1e-9, 1e6, "learning rate after warm-up", func(s *settings) *float64 { return &s.lr0 }),
		number("lrf", 0.01, 0, 1, "final learning rate as a fraction of lr0", func(s *settings) *float64 { return &s.lrf }),
		choice("schedule", "linear", "how the learning rate falls from lr0 to lr0 x lrf, per step",
			func(s *settings, v any) { s.shape = shapes[v] }, "linear", "cosine", "flat-cosine", "fixed"),
		choice("optimizer", SGD, "SGD with Nesterov momentum, Adam, AdamW with decoupled weight decay, or LION",
			func(s *settings, v any) { s.optimizer, _ = v.(string) }, SGD, Adam, AdamW, LION),
		choice("amsgrad", true, "divide by the largest squares so far, as the official code does with AdamW",
			func(s *settings, v any) { s.amsgrad = v == true }, false, true).requires(withAdamW),
		number("momentum", 0.937, 0, 0.9999, "Nesterov momentum of SGD, beta1 of the other optimisers", func(s *settings) *float64 { return &s.momentum }),
		number("weight_decay", 5e-4, 0, 1, "L2 decay of convolution weights; biases and batch normalisation have none", func(s *settings) *float64 { return &s.weightDecay }),
		number("warmup_epochs", 3, 0, 1000, "epochs of warm-up, may be broken; the learning rate rises from 0 per step", func(s *settings) *float64 { return &s.warmupEpochs }),
		whole("warmup_floor", 0, 0, 1e9, "least steps of warm-up, whatever warmup_epochs is; the official code has 100", func(s *settings) *int { return &s.warmupFloor }),
		number("warmup_momentum", 0.8, 0, 0.9999, "momentum at the first step of warm-up", func(s *settings) *float64 { return &s.warmupMomentum }).requires(withSGD),
		number("warmup_bias_lr", 0.1, 0, 1e6, "learning rate of the head's biases at the first step of warm-up", func(s *settings) *float64 { return &s.warmupBias }),
		number("clip_norm", 10, 0, 1e9, "global norm that gradients are clipped to; 0: no clipping", func(s *settings) *float64 { return &s.clipNorm }),
		whole("nominal_batch", 0, 0, 1e6, "images over whose batches gradients are summed before weights move; weight decay goes with what is reached of it; 0: each batch moves them", func(s *settings) *int { return &s.nominal }),
		whole("freeze", 0, 0, 1000, "first layers of the model that are not trained; statistics of their batch normalisation still move", func(s *settings) *int { return &s.freeze }),

		number("box", 7.5, 0, 1e4, "gain of the box loss (CIoU)", func(s *settings) *float64 { return &s.gains.Box }),
		number("cls", 0.5, 0, 1e4, "gain of the class loss (binary cross-entropy)", func(s *settings) *float64 { return &s.gains.Class }),
		number("dfl", 1.5, 0, 1e4, "gain of the distribution focal loss of box sides", func(s *settings) *float64 { return &s.gains.DFL }),
		number("cls_pw", 1, 0, 1e3, "weight of positives in the class loss", func(s *settings) *float64 { return &s.classes.Weight }),
		number("fl_gamma", 0, 0, 10, "gamma of focal loss for classes; 0: none. Losses are not comparable across values", func(s *settings) *float64 { return &s.classes.Gamma }),
		number("label_smoothing", 0, 0, 0.9999, "class targets t become e/2 + (1-e) t", func(s *settings) *float64 { return &s.classes.Smoothing }),
		whole("tal_topk", 10, 1, 1000, "points that task-aligned assignment gives to each object at most", func(s *settings) *int { return &s.method.TopK }),
		number("tal_alpha", 0.5, 0, 100, "exponent of the class score in task-aligned assignment", func(s *settings) *float64 { return &s.method.Alpha }),
		number("tal_beta", 6, 0, 100, "exponent of CIoU in task-aligned assignment", func(s *settings) *float64 { return &s.method.Beta }),
		choice("tal_rule", "claimers", "who gets a point that several objects claim: the one of these that it overlaps most, or of all objects; all knows no least alignment either, as the official code",
			func(s *settings, v any) { s.method.All = v == "all" }, "claimers", "all"),
		number("aux", 0, 0, 100, "weight of an auxiliary head's loss in training; 0: no auxiliary head", func(s *settings) *float64 { return &s.aux }),
		choice("aux_assign", "own", "whose assignment the auxiliary head learns: its own, or the main head's",
			func(s *settings, v any) { s.auxMain = v == "main" }, "own", "main").requires(trials.Params{"aux": 1.0}),

		choice("ema", true, "score an exponential moving average of the weights instead of the weights", func(s *settings, v any) { s.ema = v == true }, false, true),
		number("ema_decay", 0.9999, 0, 0.999999, "decay of the average after many steps", func(s *settings) *float64 { return &s.average.Decay }).requires(withEMA),
		number("ema_tau", 2000, 1e-3, 1e9, "steps over which that decay is reached: decay (1 - exp(-step/tau))", func(s *settings) *float64 { return &s.average.Tau }).requires(withEMA),

		number("mosaic", 1, 0, 1, "probability of composing an image of four", func(s *settings) *float64 { return &s.augment.Mosaic }),
		number("mixup", 0, 0, 1, "probability of blending in a second image; only while mosaic is on", func(s *settings) *float64 { return &s.augment.MixUp }).requires(trials.Params{"mosaic": 1.0}),
		number("copy_paste", 0, 0, 1, "probability of pasting boxes cut from other images", func(s *settings) *float64 { return &s.augment.CopyPaste }),
		number("mosaic9", 0, 0, 1, "share of mosaics that have nine images instead of four", func(s *settings) *float64 { return &s.augment.Mosaic9 }).requires(withMosaic),
		choice("mosaic_layout", augment.Crops, "what a mosaic is: crops that fill the image, or whole images of which a view is seen, as in the official code",
			func(s *settings, v any) { s.augment.MosaicLayout, _ = v.(string) }, augment.Crops, augment.Whole).requires(withMosaic),
		number("copy_paste_polygons", 0, 0, 1, "share of a mosaic's outlined objects that are pasted once more, mirrored; acts where labels are polygons", func(s *settings) *float64 { return &s.augment.CopyPastePolygons }).requires(withMosaic),
		choice("autoaugment", augment.None, "policy of random operations: RandAugment, or AutoAugment's policy for ImageNet", func(s *settings, v any) { s.augment.AutoAugment, _ = v.(string) }, augment.None, augment.RandAugment, augment.AutoAugment),
		choice("randaugment_geometry", false, "also shear, move and turn under randaugment; boxes follow",
			func(s *settings, v any) { s.randGeometry = v == true }, false, true).requires(withRand),
		choice("autoaugment_geometry", false, "also the sub-policies of autoaugment that shear and turn; boxes follow",
			func(s *settings, v any) { s.autoGeometry = v == true }, false, true).requires(trials.Params{"autoaugment": augment.AutoAugment}),
		whole("randaugment_n", 2, 1, 20, "operations an image under randaugment", func(s *settings) *int { return &s.augment.RandN }).requires(withRand),
		whole("randaugment_m", 9, 1, 30, "magnitude of randaugment's operations, of 30", func(s *settings) *int { return &s.augment.RandM }).requires(withRand),
		number("hsv", 1, 0, 1, "strength of colour changes: 1 stands for hsv_h, hsv_s and hsv_v as they are", func(s *settings) *float64 { return &s.augment.HSV }),
		choice("hsv_mode", augment.Linear, "how colours change: linear, close to hue, saturation and value for small changes, or hsv, exactly and with hue scaled, as in the official code",
			func(s *settings, v any) { s.augment.HSVMode, _ = v.(string) }, augment.Linear, augment.Exact).requires(withHSV),
		number("hsv_h", augment.DefaultHSV.Hue, 0, 0.5, "hue changes by +- this share of a turn", func(s *settings) *float64 { return &s.hsv.Hue }).requires(withHSV),
		number("hsv_s", augment.DefaultHSV.Saturation, 0, 1, "saturation changes by +- this share", func(s *settings) *float64 { return &s.hsv.Saturation }).requires(withHSV),
		number("hsv_v", augment.DefaultHSV.Value, 0, 1, "value (brightness) changes by +- this share", func(s *settings) *float64 { return &s.hsv.Value }).requires(withHSV),
		number("fliplr", 0, 0, 1, "probability of mirroring left and right; digits and text must not be", func(s *settings) *float64 { return &s.augment.FlipLR }),
		number("flipud", 0, 0, 1, "probability of mirroring top and bottom", func(s *settings) *float64 { return &s.augment.FlipUD }),
		number("scale", 0, 0, 0.9, "images are scaled by 1 +- scale", func(s *settings) *float64 { return &s.augment.Scale }),
		number("translate", 0, 0, 0.9, "images are moved by +- translate of their side", func(s *settings) *float64 { return &s.augment.Translate }),
		number("degrees", 0, 0, 180, "images are turned by +- degrees", func(s *settings) *float64 { return &s.augment.Degrees }),
		number("shear", 0, 0, 60, "images are sheared along both axes by +- shear degrees", func(s *settings) *float64 { return &s.augment.Shear }),
		number("perspective", 0, 0, 0.002, "images are tilted about both axes by +- perspective a pixel", func(s *settings) *float64 { return &s.augment.Perspective }),
		number("multi_scale", 0, 0, 0.9, "the side of each batch is drawn from 1 - multi_scale to 1 + multi_scale of the image size, in steps of the largest stride; the official code has 0.5 or none",
			func(s *settings) *float64 { return &s.multiScale }),
		number("keep_area", augment.DefaultKeepArea, 0.01, 1, "share of its area that a box that was cut must have left to stay", func(s *settings) *float64 { return &s.augment.KeepArea }),
		number("keep_side", augment.DefaultKeepSide, 0.01, 64, "and pixels of each of its sides", func(s *settings) *float64 { return &s.augment.KeepSide }),
		whole("close_mosaic", 0, 0, 1e6, "last epochs without mosaic and mixup", func(s *settings) *int { return &s.closeMosaic }).requires(trials.Params{"mosaic": 1.0}),

		choice("sync_bn", false, "normalise with the batch's statistics over all GPUs of a trial, not over each one's share; with one GPU both are the same",
			func(s *settings, v any) { s.syncBN = v == true }, false, true),

		whole("patience", 0, 0, 1e6, "epochs without a better patience_metric after which training ends; 0: never", func(s *settings) *int { return &s.patience }),
		choice("patience_metric", Fitness, "what patience watches; fitness is 0.1 mAP50 + 0.9 mAP50-95",
			func(s *settings, v any) { s.patienceMetric, _ = v.(string) }, Fitness, "mAP50-95", "mAP50", "mAP75", "AR100").requires(trials.Params{"patience": int64(1)}),
		whole("val_interval", 1, 1, 1e6, "score every so many epochs, and after the last", func(s *settings) *int { return &s.valInterval }),
	}
}

// shapes are the values of the knob schedule.
var shapes = map[any]optim.Shape{"linear": optim.Linear, "cosine": optim.Cosine, "flat-cosine": optim.FlatCosine, "fixed": optim.Fixed}

// changed are the parameters that are not at their defaults.
func (d architecture) changed(effective trials.Params) trials.Params {
	p := trials.Params{}
	for _, k := range d.knobs() {
		if v := effective[k.Name]; (trials.Params{k.Name: v}).Key() != (trials.Params{k.Name: k.Default}).Key() {
			p[k.Name] = v
		}
	}
	return p
}

// sampling are the augmentation settings with what they take from several knobs.
func (s *settings) sampling() augment.Settings {
	a := s.augment
	a.HSVRanges = &s.hsv
	a.Geometry = a.AutoAugment == augment.RandAugment && s.randGeometry || a.AutoAugment == augment.AutoAugment && s.autoGeometry
	return a
}

// Knobs describes everything that a study can set. Augmentations beyond mosaic and
// colour are off by default.
func (b *Backend) Knobs() []trials.Knob {
	var all []trials.Knob
	for _, k := range b.model.knobs() {
		all = append(all, k.Knob)
	}
	return all
}

// resolve decodes parameters and fills in defaults. A name or value that the table does
// not have is a Failure of class infeasible.
func resolve(table []knob, params trials.Params) (settings, trials.Params, error) {
	var s settings
	effective := trials.Params{}
	for _, k := range table {
		v, given := params[k.Name]
		if !given {
			v = k.Default
		}
		if err := k.accept(v); err != nil {
			return s, nil, infeasible(err)
		}
		effective[k.Name] = v
		k.put(&s, v)
	}
	for _, name := range params.Names() {
		if _, ok := effective[name]; !ok {
			return s, nil, infeasible(fmt.Errorf("%s is no knob of the native trainer; it has %s", name, strings.Join(effective.Names(), ", ")))
		}
	}
	return s, effective, nil
}

func (k knob) accept(v any) error {
	p := trials.Param{Kind: k.Kind, Low: k.Low, High: k.High, Choices: k.Choices}
	if p.Contains(v) {
		return nil
	}
	if k.Kind == trials.Categorical {
		return fmt.Errorf("%s is %s: choose one of %s", k.Name, trials.FormatValue(v), list(k.Choices))
	}
	kind := "a number"
	if k.Kind == trials.Int {
		kind = "a whole number"
	}
	if x, ok := trials.Number(v); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
		return fmt.Errorf("%s is %v: choose %s", k.Name, v, kind)
	}
	return fmt.Errorf("%s is %s: choose %s from %g to %g", k.Name, trials.FormatValue(v), kind, k.Low, k.High)
}

func list(choices []any) string {
	var s []string
	for _, c := range choices {
		s = append(s, trials.FormatValue(c))
	}
	return strings.Join(s, ", ")
}

func infeasible(err error) *trainer.Failure {
	return &trainer.Failure{Class: trials.ClassInfeasible, Reason: err.Error(), Err: err}
}
