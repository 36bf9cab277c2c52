package yolov9

import (
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// place says where the official code, or our launcher, reads a knob.
type place int

const (
	inHyp    place = iota // a key of the hyper-parameter file
	asFlag                // a flag of the training script with a value
	asSwitch              // a flag of the training script without a value
	inEnv                 // an environment variable
	asLever               // nothing in the official code: our launcher makes it
)

// knob is one setting with what is known of it from the code of the official trainer.
type knob struct {
	trials.Knob
	at   place
	name string // key, flag or variable as the official code writes it; "": that of the knob
	// inert says why the official code ignores it, or is "". lever says that our launcher makes it live.
	inert string
	lever bool
	// late says where it acts if not in the first optimiser steps, or is "".
	late string
}

func (k knob) official() string {
	if k.name != "" {
		return k.name
	}
	return k.Name
}

func number(name string, def, low, high float64, help string) knob {
	return knob{Knob: trials.Knob{Name: name, Kind: trials.Float, Default: def, Low: low, High: high, Help: help}}
}

func whole(name string, def int64, low, high float64, help string) knob {
	return knob{Knob: trials.Knob{Name: name, Kind: trials.Int, Default: def, Low: low, High: high, Help: help}}
}

func choice(name string, def any, help string, choices ...any) knob {
	return knob{Knob: trials.Knob{Name: name, Kind: trials.Categorical, Default: def, Choices: choices, Help: help}}
}

func text(name, def, help string) knob {
	return knob{Knob: trials.Knob{Name: name, Kind: trials.Categorical, Default: def, Help: help}}
}

func toggle(name string, help string) knob {
	return choice(name, false, help, false, true).as(asSwitch)
}

func (k knob) as(p place) knob             { k.at = p; return k }
func (k knob) called(official string) knob { k.name = official; return k }
func (k knob) deadSince(why string) knob   { k.inert = why; return k }
func (k knob) levered() knob               { k.lever = true; return k }
func (k knob) actsAt(where string) knob    { k.late = where; return k }

func (k knob) requires(p trials.Params) knob { k.Requires = p; return k }

// The words of the knobs that have words.
const (
	None        = "none"
	RandAugment = "randaugment"
	AutoAugment = "autoaugment"
	CacheRAM    = "ram"
	CacheDisk   = "disk"
	AMPAuto     = "auto" // as the official code: fp16 with GradScaler on CUDA, off on the CPU
	AMPOff      = "off"
	AMPFP16     = "fp16"
	AMPBF16     = "bf16"
	SeedAuto    = "auto" // on whenever a study has more than one replicate
	SeedOn      = "on"
	SeedOff     = "off"
)

const (
	afterEpochs = "acts after the first epochs, not in the first steps"
	inSaving    = "acts when checkpoints are saved"
	inValidate  = "acts in validation, after an epoch"
	inEnding    = "acts when training ends"
	inLogging   = "is read by Weights & Biases only, which is kept off"
)

// knobs is the table behind Knobs, the hyper-parameter file, the flags, and what Review knows. Ranges are
// those in which the official code does something sensible; defaults are the official ones.
func knobs() []knob {
	mosaicOn := trials.Params{"mosaic": 1.0}
	emaOn := trials.Params{"ema": true}
	rand := trials.Params{"autoaugment": RandAugment}
	return []knob{
		// The 29 keys of data/hyps/hyp.scratch-high.yaml, in its order.
		number("lr0", 0.01, 1e-9, 1e6, "learning rate after warm-up"),
		number("lrf", 0.01, 0, 1, "final learning rate as a fraction of lr0").actsAt(afterEpochs),
		number("momentum", 0.937, 0, 0.9999, "momentum of SGD, beta1 of Adam, AdamW and LION"),
		number("weight_decay", 0.0005, 0, 1, "L2 decay of convolution and linear weights, scaled by batch x accumulation / 64"),
		number("warmup_epochs", 3, 0, 1000, "epochs of warm-up, but never fewer steps than warmup_floor"),
		number("warmup_momentum", 0.8, 0, 0.9999, "momentum at the first step of warm-up (SGD)"),
		number("warmup_bias_lr", 0.1, 0, 1e3, "learning rate of biases at the first step of warm-up"),
		number("box", 7.5, 0, 1e4, "gain of the box loss (CIoU)").levered().deadSince("the official loss multiplies by the literal 7.5 (utils/loss_tal*.py)"),
		number("cls", 0.5, 0, 1e4, "gain of the class loss").levered().deadSince("the official loss multiplies by the literal 0.5 (utils/loss_tal*.py)"),
		number("cls_pw", 1, 0, 1e3, "weight of positives in the class loss"),
		number("obj", 0.7, 0, 1e4, "gain of an objectness loss that these models do not have").deadSince("only utils/loss.py reads it, which no training script imports"),
		number("obj_pw", 1, 0, 1e3, "weight of positives in an objectness loss that these models do not have").deadSince("only utils/loss.py reads it, which no training script imports"),
		number("dfl", 1.5, 0, 1e4, "gain of the distribution focal loss").levered().deadSince("the official loss multiplies by the literal 1.5 (utils/loss_tal*.py)"),
		number("iou_t", 0.2, 0, 1, "an IoU threshold that nothing reads").deadSince("it occurs in a comment only"),
		number("anchor_t", 5, 0, 1e3, "an anchor threshold; these models have no anchors").deadSince("the training script overwrites it with 5.0 and never uses it"),
		number("fl_gamma", 0, 0, 10, "gamma of focal loss for classes; 0: none. Losses are not comparable across values"),
		number("hsv_h", 0.015, 0, 1, "hue changes, as a fraction"),
		number("hsv_s", 0.7, 0, 1, "saturation changes, as a fraction"),
		number("hsv_v", 0.4, 0, 1, "brightness changes, as a fraction"),
		number("degrees", 0, 0, 180, "rotation, +- degrees"),
		number("translate", 0.1, 0, 1, "translation, +- fraction"),
		number("scale", 0.9, 0, 0.99, "scaling by 1 +- scale"),
		number("shear", 0, 0, 90, "shear, +- degrees"),
		number("perspective", 0, 0, 0.001, "perspective, +- fraction"),
		number("flipud", 0, 0, 1, "probability of mirroring top and bottom"),
		number("fliplr", 0.5, 0, 1, "probability of mirroring left and right"),
		number("mosaic", 1, 0, 1, "probability of composing an image of four"),
		number("mixup", 0.15, 0, 1, "probability of blending in a second mosaic").requires(mosaicOn),
		number("copy_paste", 0.3, 0, 1, "share of objects that are pasted mirrored; polygons only, unless copy_paste_boxes is true").requires(mosaicOn),

		// Flags of the training scripts that a study may set.
		text("weights", "", "initial weights, a .pt file; empty: from scratch").as(asFlag),
		text("cfg", "", "model file or name; default: trainer.model").as(asFlag),
		whole("batch_size", 16, 1, 1e5, "pictures in a batch over all GPUs; default: trainer.batch").as(asFlag).called("batch-size"),
		whole("imgsz", 640, 64, 8192, "side of the training picture, a multiple of 32; default: trainer.image_size").as(asFlag),
		toggle("rect", "rectangular batches; switches off shuffling, mosaic, mixup and copy-paste"),
		toggle("nosave", "save a checkpoint after the last epoch only").actsAt(inSaving),
		toggle("noval", "validate after the last epoch only").actsAt(inValidate),
		toggle("noautoanchor", "no check of anchors; these models have none").deadSince("the anchor check is commented out in the training scripts"),
		choice("noplots", true, "write no plots", false, true).as(asSwitch).actsAt("changes what is drawn, not what is trained"),
		choice("cache", None, "keep decoded, resized pictures in memory or beside the data; changes the random stream", None, CacheRAM, CacheDisk).as(asFlag),
		toggle("image_weights", "draw pictures by how badly their classes are found").called("image-weights"),
		toggle("multi_scale", "vary the picture size by +-50 %").called("multi-scale"),
		toggle("single_cls", "train all classes as one").called("single-cls"),
		choice("optimizer", "SGD", "optimiser", "SGD", "Adam", "AdamW", "LION").as(asFlag),
		toggle("sync_bn", "batch statistics over all GPUs of a trial").called("sync-bn"),
		whole("workers", 8, 0, 256, "processes that load pictures, of each GPU; changes the random stream").as(asFlag),
		toggle("quad", "batches of four pictures in one"),
		toggle("cos_lr", "learning rate falls as half a cosine").called("cos-lr").actsAt(afterEpochs),
		toggle("flat_cos_lr", "learning rate is flat, then falls as half a cosine").called("flat-cos-lr").actsAt(afterEpochs),
		toggle("fixed_lr", "learning rate does not fall").called("fixed-lr").actsAt(afterEpochs),
		number("label_smoothing", 0, 0, 0.9999, "label smoothing epsilon").as(asFlag).called("label-smoothing").levered().deadSince("the loss computes smoothed targets and never uses them (utils/loss_tal*.py)"),
		whole("patience", 100, 0, 1e6, "epochs without a better fitness after which training ends; 0: never").as(asFlag).actsAt(inEnding),
		text("freeze", "0", "layers that are not trained: a number of first layers, or several layers (\"0 1 2\")").as(asFlag),
		whole("save_period", -1, -1, 1e6, "keep a checkpoint every so many epochs; below 1: none").as(asFlag).called("save-period").actsAt(inSaving),
		whole("min_items", 0, 0, 1e6, "leave out training pictures with fewer boxes").as(asFlag).called("min-items"),
		whole("close_mosaic", 0, 0, 1e6, "last epochs without mosaic, mixup and copy-paste").as(asFlag).called("close-mosaic").actsAt(afterEpochs),
		text("bucket", "", "storage bucket of --evolve").as(asFlag).deadSince("only --evolve reads it"),
		text("entity", "", "Weights & Biases entity").as(asFlag).deadSince(inLogging),
		toggle("upload_dataset", "upload the data to Weights & Biases").deadSince(inLogging),
		whole("bbox_interval", -1, -1, 1e6, "epochs between pictures for Weights & Biases").as(asFlag).deadSince(inLogging),
		text("artifact_alias", "latest", "version of a data set in Weights & Biases").as(asFlag).deadSince(inLogging),

		// Environment variables that the loss reads.
		whole("tal_topk", 10, 1, 1000, "points that task-aligned assignment gives to each object").as(inEnv).called("YOLOM"),
		number("tal_alpha", 0.5, 0, 100, "exponent of the class score in task-aligned assignment").as(inEnv).called("YOLOA"),
		number("tal_beta", 6, 0, 100, "exponent of CIoU in task-aligned assignment").as(inEnv).called("YOLOB"),

		// What the official code does not have. At their defaults nothing is changed.
		choice("autoaugment", None, "policy of random photometric operations; boxes stay true", None, RandAugment, AutoAugment).as(asLever).levered().deadSince("the official code has no such key and ignores unknown ones"),
		whole("randaugment_n", 2, 1, 20, "operations a picture under randaugment").as(asLever).levered().deadSince("the official code has no such key").requires(rand),
		whole("randaugment_m", 9, 1, 30, "magnitude of randaugment's operations, of 30").as(asLever).levered().deadSince("the official code has no such key").requires(rand),
		choice("copy_paste_boxes", false, "let copy_paste paste boxes where labels are no polygons", false, true).as(asLever).levered().deadSince("the official code has no such key").requires(mosaicOn),
		choice("amp", AMPAuto, "mixed precision: auto is fp16 on CUDA and off on the CPU", AMPAuto, AMPOff, AMPFP16, AMPBF16).as(asLever).levered().deadSince("the official code has no such flag: fp16 is always on with CUDA and never on the CPU"),
		choice("ema", true, "score and save a moving average of the weights", false, true).as(asLever).levered().deadSince("the official code always averages and has no such flag"),
		number("ema_decay", 0.9999, 0, 0.999999, "decay of the average after many steps").as(asLever).levered().deadSince("the official code has no such key").requires(emaOn),
		number("ema_tau", 2000, 1e-3, 1e9, "steps over which that decay is reached: decay (1 - exp(-step/tau))").as(asLever).levered().deadSince("the official code has no such key").requires(emaOn),
		whole("val_interval", 1, 1, 1e6, "validate every so many epochs, and after the last").as(asLever).levered().deadSince("the official code has no such flag").actsAt(inValidate),
		choice("seed_images", SeedAuto, "let the stream of training pictures depend on the seed; auto: when there is more than one replicate", SeedAuto, SeedOn, SeedOff).as(asLever).levered().deadSince("the official code has no such key"),
		whole("warmup_floor", 100, 0, 1e9, "least steps of warm-up").as(asLever).levered().deadSince("the official code has the literal 100"),
		whole("nccl_timeout", 0, 0, 1e6, "seconds that GPUs wait for each other; 0: the default of torch").as(asLever).levered().deadSince("the official code has no such key").actsAt("acts when GPUs of one trial lose each other"),
	}
}

// owned are flags that mapsweep sets itself, with how a study says the same.
var owned = map[string]string{
	"data":       "trainer.data names the data set",
	"hyp":        "each key of the hyper-parameter file is a knob of its own, and mapsweep writes the file",
	"epochs":     "trainer.epochs is the length of a trial",
	"device":     "trainer.device and trainer.gpus say where a trial runs",
	"seed":       "seeds come from the study's seed and the replicate",
	"resume":     "an interrupted trial goes on by itself",
	"project":    "every trial has a folder of its own",
	"name":       "every attempt has a folder of its own",
	"exist_ok":   "every attempt has a folder of its own",
	"evolve":     "it fails in its second generation; design: search does what it is for",
	"local_rank": "mapsweep starts the processes of several GPUs itself",
}

// Knobs describes everything that a study can set.
func (b *Backend) Knobs() []trials.Knob {
	var all []trials.Knob
	for _, k := range knobs() {
		all = append(all, k.Knob)
	}
	return all
}

// CheckNames says which of the names are flags of the official scripts that a study sets otherwise, with how.
func CheckNames(names []string) error {
	var wrong []string
	for _, n := range names {
		if how, ok := owned[strings.ReplaceAll(n, "-", "_")]; ok {
			wrong = append(wrong, fmt.Sprintf("%s: %s", n, how))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("not a knob of backend yolov9: %s", strings.Join(wrong, "; "))
}
