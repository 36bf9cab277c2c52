package local

import (
	"fmt"
	"math"
	"strings"
)

// Bench is what a trial of the official YOLOv9 is to run on, and what it trains: all that Presets looks at.
type Bench struct {
	GPU       string // name of the card, the smallest if there are several; "": no GPU
	MiB       int64  // its memory
	PerTrial  int    // GPUs of one trial, at least 1
	Cores     int    // of the machine
	Trials    int    // at once on this machine, before packing
	Model     string // gelan-t, yolov9-c ... or a path that ends so
	ImageSize int    // pixels; 0: 640
}

// Setting is one knob with a value that fits the bench.
type Setting struct {
	Knob  string
	Value any // as trials.Params holds it
	Why   string
}

// The knobs of backend yolov9 that have presets.
const (
	knobBatch   = "batch_size"
	knobWorkers = "workers"
	knobSyncBN  = "sync_bn"
	knobCache   = "cache"
)

// card is a row of the table: what fits on one card with yolov9-s at 640 pixels.
type card struct {
	names   []string // parts of the driver's name; none: any card
	minMiB  int64    // with at least so much memory
	batch   int
	workers int
	cache   bool
	source  string
}

// The sources of the table's rows.
const (
	article = "the tuning article's hardware table"
	rule    = "a rule of thumb by memory, drawn through the article's three cards (1.3 to 1.6 pictures a GiB) and measured by nobody"
)

// cards from the narrowest row to the widest; the first that fits is taken. A card reports a little less memory
// than it is sold with. 64 is the end: above it the official code no longer accumulates to its nominal batch of 64 but
// raises the weight decay, which is another experiment.
var cards = []card{
	{names: []string{"A100"}, minMiB: 39 << 10, batch: 64, workers: 8, source: article},
	{names: []string{"V100"}, minMiB: 31 << 10, batch: 48, workers: 6, source: article + "; if training breaks off, it says, lower the batch to 32 first, not the workers"},
	{names: []string{"RTX 4090", "RTX4090"}, minMiB: 23 << 10, batch: 32, workers: 4, cache: true, source: article},
	{minMiB: 39 << 10, batch: 64, workers: 8, source: rule},
	{minMiB: 31 << 10, batch: 48, workers: 6, source: rule},
	{minMiB: 23 << 10, batch: 32, workers: 4, source: rule},
	{minMiB: 19 << 10, batch: 24, workers: 4, source: rule},
	{minMiB: 15 << 10, batch: 20, workers: 4, source: rule},
	{minMiB: 11 << 10, batch: 12, workers: 4, source: rule},
	{minMiB: 7 << 10, batch: 8, workers: 4, source: rule},
	{minMiB: 0, batch: 4, workers: 2, source: rule},
}

func (c card) fits(name string, mib int64) bool {
	if mib < c.minMiB {
		return false
	}
	for _, n := range c.names {
		if strings.Contains(strings.ToUpper(name), n) {
			return true
		}
	}
	return len(c.names) == 0
}

// millions of parameters of the models in their training form, three classes, counted with the official code.
var millions = map[string]float64{"gelan-t": 1.9, "yolov9-t": 2.7, "gelan-s": 7.2, "yolov9-s": 9.7, "gelan-m": 20.1, "yolov9-m": 32.8,
	"gelan-c": 25.4, "yolov9-c": 51.0, "gelan-e": 58.1, "yolov9-e": 69.4, "gelan": 31.4, "yolov9": 60.8, "yolov9-cf": 56.5}

// load is how much more activation memory a picture takes than with yolov9-s at 640 pixels, at least 1: it grows
// with the area of the picture and, about, with the width of the layers, the root of the parameters. why is "" where it is 1.
func load(model string, size int) (factor float64, why string) {
	factor = 1
	name := strings.TrimSuffix(strings.TrimSuffix(model[strings.LastIndexByte(model, '/')+1:], ".yaml"), ".yml")
	m, known := millions[name]
	switch {
	case !known:
		factor, why = 2, fmt.Sprintf("halved, because %s is a model that the table does not know", name)
	case m > millions["yolov9-s"]:
		factor = math.Sqrt(m / millions["yolov9-s"])
		why = fmt.Sprintf("divided by %.2f for %s (root of its parameters over those of yolov9-s)", factor, name)
	}
	if size > 640 {
		area := float64(size) * float64(size) / (640 * 640)
		factor *= area
		why = strings.TrimPrefix(why+fmt.Sprintf(", divided by %.2f for pictures of %d instead of 640 pixels", area, size), ", ")
	}
	return factor, why
}

// roundBatch rounds down to a number that is easy on the hardware and that the trial's GPUs can share out evenly.
func roundBatch(x float64, gpus int) int {
	n := int(x)
	switch {
	case n >= 8:
		n -= n % 4
	case n >= 4:
		n = 4
	default:
		n = 2
	}
	if n%gpus != 0 {
		n -= n % gpus
	}
	return max(n, gpus, 2)
}

// Presets are settings for backend yolov9 that fit a bench, of those knobs that open leaves to us. It is a pure
// function of its arguments. Without a GPU there are none: nobody has published any, and the trainer's defaults stand.
//
// They change results: batch and workers are part of the random stream. Whoever uses them fixes them for the
// whole study, before its first trial.
func Presets(b Bench, open func(knob string) bool) []Setting {
	if b.GPU == "" || b.MiB <= 0 {
		return nil
	}
	gpus := max(1, b.PerTrial)
	var c card
	for _, c = range cards {
		if c.fits(b.GPU, b.MiB) {
			break
		}
	}
	on := fmt.Sprintf("%s with %.0f GiB", b.GPU, float64(b.MiB)/1024)
	var all []Setting
	add := func(knob string, value any, format string, args ...any) {
		if open(knob) {
			all = append(all, Setting{knob, value, fmt.Sprintf(format, args...)})
		}
	}

	factor, why := load(b.Model, b.ImageSize)
	batch := roundBatch(float64(c.batch)/factor, gpus)
	text := fmt.Sprintf("%s: %d for %s", c.source, c.batch, on)
	if why != "" {
		text += ", " + why
	}
	if gpus > 1 {
		text += fmt.Sprintf("; over all %d GPUs of a trial, so that their number changes no result", gpus)
	}
	add(knobBatch, int64(batch), "%s", text)

	workers, text := c.workers, fmt.Sprintf("%s: %d for %s", c.source, c.workers, on)
	if most := max(1, b.Cores/(gpus*max(1, b.Trials))); b.Cores > 0 && workers > most {
		workers = most
		if n := gpus * max(1, b.Trials); n > 1 {
			text += fmt.Sprintf(", but %d cores for %d GPUs leave %d to each", b.Cores, n, most)
		} else {
			text += fmt.Sprintf(", but there are %d cores", b.Cores)
		}
	}
	add(knobWorkers, int64(workers), "%s", text)

	if gpus > 1 {
		add(knobSyncBN, true, "%s: batch statistics over all %d GPUs of a trial; without it the article loses 1.5 to 2.0 points of mAP50", article, gpus)
	}
	if c.cache {
		add(knobCache, "ram", "%s: on this card loading is the bottleneck without it. It needs memory for all pictures in the machine; the official code goes without where that is not there", c.source)
	}
	return all
}
