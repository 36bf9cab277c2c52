package diagnosis

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// remedy is what a finding asks for; each backend has its own levers for it, or none.
type remedy int

const (
	lowerRate      remedy = iota // a lower learning rate
	higherRate                   // a higher one
	otherRate                    // either
	lowerEnd                     // a lower one at the end
	warmUpLength                 // another length of warm-up
	warmUpFloor                  // a warm-up whose setting matters
	longer                       // more epochs
	stopEarly                    // fewer, where they bring nothing
	boxGain                      // more weight on the regression of boxes
	pictureSize                  // another picture size
	batchSize                    // another batch
	feed                         // faster loading
	precision                    // a number format that does not overflow
	precisionLower               // half precision
	average                      // averaging of weights
	regularise                   // more varied pictures, more decay
	labels                       // labels and data
	parallel                     // fewer trials at once
	remedies                     // their number
)

func lever(knob, do string) Lever { return Lever{Knob: knob, Do: do} }

// none says that a backend lacks what is asked for, and what is so instead.
func none(what, why string) Lever {
	return Lever{Do: what + ": this backend has no such lever; " + why}
}

// shared are levers that every backend has.
var shared = map[remedy][]Lever{
	longer:   {lever("trainer.epochs", "train longer")},
	labels:   {lever("trainer.data", "look at the labels: mapsweep check opens every file and names class ids, boxes and overlaps")},
	parallel: {lever("budget.parallel", "run fewer trials at once, and nothing else beside them")},
}

// levers of the backends. A remedy that a backend lacks is named with the reason.
var levers = map[string]map[remedy][]Lever{
	backendNative: {
		lowerRate:    {lever("lr0", "lower it: half, then a quarter"), lever("warmup_epochs", "lengthen it if the first epochs are the wild ones"), lever("clip_norm", "clip gradients harder")},
		higherRate:   {lever("lr0", "try twice the value")},
		otherRate:    {lever("lr0", "try half and twice the value")},
		lowerEnd:     {lever("lrf", "lower the final learning rate"), lever("schedule", "cosine comes down earlier than linear")},
		warmUpLength: {lever("warmup_epochs", "shorten it to a few percent of training; fractions of an epoch are allowed")},
		stopEarly: {lever("objective.epoch", "best scores the best epoch instead of the last"), lever("trainer.epochs", "shorten training; the schedule shortens with it"),
			lever("patience", "10, as in the article; it watches patience_metric, fitness by default")},
		boxGain:     {lever("box", "raise it by 40 %, as the article does: 7.5 to 10.5; the shipped study box-weight tests that"), lever("dfl", "raise it with the box gain")},
		pictureSize: {lever("trainer.image_size", "larger for small objects")},
		batchSize:   {lever("trainer.batch", "another batch size; lr0 may have to follow")},
		feed: {lever("budget.parallel", "do not run more trials than there are cores"),
			lever("trainer.loaders", "1 or more make batches ahead of the steps"), lever("trainer.cache", "ram, if memory allows")},
		precision:      {none("a number format", "the native trainer sums in float32, and bf16 has the same range")},
		precisionLower: {lever("trainer.precision", "bf16, where mapsweep devices says AVX512_BF16")},
		average: {lever("ema", "true scores an average of the weights"), lever("ema_decay", "a higher decay averages over more steps"),
			lever("ema_tau", "lower it in runs of a few hundred steps, which average next to nothing at 2000")},
		regularise: {lever("mosaic", "1 mixes four pictures"), lever("mixup", "a little of it, with mosaic on"), lever("autoaugment", "randaugment varies colours and contrast"), lever("weight_decay", "raise it")},
	},
	backendYOLOv9: {
		lowerRate:    {lever("lr0", "lower it: half, then a quarter"), lever("warmup_epochs", "lengthen it if the first epochs are the wild ones"), lever("warmup_bias_lr", "lower it: biases begin at 0.1"), none("harder clipping of gradients", "the official code clips their norm to the literal 10")},
		higherRate:   {lever("lr0", "try twice the value")},
		otherRate:    {lever("lr0", "try half and twice the value")},
		lowerEnd:     {lever("lrf", "lower the final learning rate"), lever("cos_lr", "half a cosine comes down earlier than a line"), lever("fixed_lr", "keep it off")},
		warmUpLength: {lever("warmup_epochs", "shorten it; below the floor it changes nothing"), lever("warmup_floor", "lower the official floor of 100 steps, through mapsweep's launcher")},
		warmUpFloor:  {lever("warmup_floor", "lower the official floor of 100 steps, through mapsweep's launcher"), lever("warmup_epochs", "leave it alone, or ask for more than the floor")},
		stopEarly:    {lever("patience", "10, as in the article (the official default is 100); it watches fitness and not the validation loss"), lever("objective.epoch", "best scores the best epoch instead of the last")},
		boxGain: {lever("box", "7.5 to 10.5, the article's 40 %; live through mapsweep's launcher only: the official loss multiplies by the literal 7.5 whatever the file says. The shipped study box-weight tests it"),
			lever("dfl", "raise it with the box gain, through the launcher, too")},
		pictureSize:    {lever("imgsz", "larger for small objects; rounded up to a multiple of 32"), lever("multi_scale", "varies the size by half")},
		batchSize:      {lever("batch_size", "a larger one if memory allows; up to 64 the official code accumulates to 64 anyway")},
		feed:           {lever("workers", "more, up to the cores of the trial"), lever("cache", "ram or disk; like workers it changes the random stream, so keep it the same in all variants"), lever("imgsz", "a smaller size loads faster")},
		precision:      {lever("amp", "off, or bf16, which does not overflow; through mapsweep's launcher"), lever("lr0", "lower it first")},
		precisionLower: {lever("amp", "auto is fp16 on CUDA already; it is off only where a study says so. There is no --fp16, and apex is not used")},
		average:        {lever("ema_decay", "a higher decay averages over more steps; through the launcher"), lever("ema_tau", "lower it in short runs: at 2000 and after 1000 steps the decay is only 0.39"), lever("ema", "keep it on: the official code always averages and has no --ema")},
		regularise:     {lever("mixup", "more of it, inside mosaic only"), lever("autoaugment", "randaugment, through the launcher: the official code ignores the key"), lever("weight_decay", "raise it"), lever("label_smoothing", "through the launcher: the official loss ignores it")},
	},
}

// synonyms are names under which programs often take what a remedy asks for.
var synonyms = map[remedy][]string{
	lowerRate:      {"lr0", "lr", "learning_rate", "lr_init", "base_lr"},
	higherRate:     {"lr0", "lr", "learning_rate", "lr_init", "base_lr"},
	otherRate:      {"lr0", "lr", "learning_rate", "lr_init", "base_lr"},
	lowerEnd:       {"lrf", "min_lr", "lr_final", "final_lr"},
	warmUpLength:   {"warmup_epochs", "warmup", "warmup_steps", "warmup_iters"},
	stopEarly:      {"patience", "early_stopping"},
	boxGain:        {"box", "box_gain", "box_loss_weight", "bbox_loss_coef", "loss_bbox"},
	pictureSize:    {"imgsz", "img_size", "image_size", "img", "size", "resolution"},
	batchSize:      {"batch", "batch_size"},
	feed:           {"workers", "num_workers", "cache"},
	precision:      {"amp", "half", "fp16", "precision"},
	precisionLower: {"amp", "half", "fp16", "precision"},
	average:        {"ema", "ema_decay", "model_ema"},
	regularise:     {"mixup", "mosaic", "weight_decay", "wd", "dropout", "autoaugment", "auto_augment", "label_smoothing"},
}

// asked says in words what a remedy asks for, for programs whose knobs mapsweep does not know.
var asked = [remedies]string{
	lowerRate: "a lower learning rate", higherRate: "a higher learning rate", otherRate: "another learning rate", lowerEnd: "a lower final learning rate", warmUpLength: "another length of warm-up",
	warmUpFloor: "a lower floor of warm-up", longer: "more epochs", stopEarly: "early stopping", boxGain: "a larger weight of the box loss", pictureSize: "another picture size", batchSize: "another batch size",
	feed: "faster loading (workers, cache)", precision: "a number format that does not overflow", precisionLower: "half precision",
	average: "averaging of weights", regularise: "more varied pictures or more decay", labels: "correct labels", parallel: "fewer trials at once",
}

// levers are those of the trial's backend for the remedies, with their values in this trial; each knob once.
func (t *trace) levers(rs ...remedy) []Lever {
	var all []Lever
	for _, r := range rs {
		for _, l := range t.leversFor(r) {
			if l.Knob != "" && slices.ContainsFunc(all, func(x Lever) bool { return x.Knob == l.Knob }) {
				continue
			}
			if l.Knob != "" {
				l.Now = t.text(l.Knob)
			}
			all = append(all, l)
		}
	}
	return all
}

func (t *trace) leversFor(r remedy) []Lever {
	if ls, ok := levers[t.Backend][r]; ok {
		return ls
	}
	if ls, ok := shared[r]; ok {
		return ls
	}
	var ls []Lever
	for _, name := range synonyms[r] {
		if _, ok := t.value(name); ok {
			ls = append(ls, lever(name, asked[r]+", to go by its name"))
		}
	}
	if ls == nil {
		return []Lever{none(asked[r], "it is the program's own: hand it over as a parameter to vary it")}
	}
	return ls
}

// Knobs lists the knobs that levers of a backend name, and keys of the study file such as trainer.epochs apart,
// so that a test can hold them against the backend.
func Knobs(backend string) (knobs, keys []string) {
	for r := range remedies {
		ls := levers[backend][r]
		if ls == nil {
			ls = shared[r]
		}
		for _, l := range ls {
			switch {
			case l.Knob == "":
			case strings.Contains(l.Knob, "."):
				keys = append(keys, l.Knob)
			default:
				knobs = append(knobs, l.Knob)
			}
		}
	}
	slices.Sort(knobs)
	slices.Sort(keys)
	return slices.Compact(knobs), slices.Compact(keys)
}

// same says that two levers are one but for the value that they have in their trials.
func (l Lever) same(m Lever) bool { return l.Knob == m.Knob && l.Do == m.Do }

// nowValues joins the values that a lever has in several trials: "0.01, 0.02", and of more than four the ends.
func nowValues(values []string) string {
	numbers := map[string]float64{}
	values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
	slices.Sort(values)
	values = slices.Compact(values)
	for _, v := range values {
		if x, err := strconv.ParseFloat(v, 64); err == nil {
			numbers[v] = x
		}
	}
	numeric := len(numbers) == len(values)
	if numeric {
		slices.SortFunc(values, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	}
	switch n := len(values); {
	case n > 4 && numeric:
		return values[0] + " to " + values[n-1]
	case n > 4:
		return strings.Join(values[:4], ", ") + " and " + strconv.Itoa(n-4) + " more"
	}
	return strings.Join(values, ", ")
}
