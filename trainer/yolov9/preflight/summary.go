package preflight

// Labelling says what the labels of a split are to the official code.
type Labelling string

// The kinds of labels. Copy-paste acts on polygons only.
const (
	NoLabels Labelling = "none"
	Boxes    Labelling = "boxes"
	Polygons Labelling = "polygons"
	Mixed    Labelling = "mixed" // some files hold boxes and some polygons
)

// Summary is what was counted in a data set.
type Summary struct {
	Classes []string         `json:"classes"`
	Splits  map[string]Split `json:"splits"`
	Overlap int              `json:"overlap"` // images of val whose content is in train too
	Hash    string           `json:"hash"`    // SHA-256 over names, sizes and labels of train and val, hex
}

// Split is what was counted in one split.
type Split struct {
	Listed     int    `json:"listed"`          // pictures that are listed, each once
	Images     int    `json:"images"`          // those that the official code uses
	Unlabelled int    `json:"unlabelled"`      // images without a label file: background
	Empty      int    `json:"empty"`           // images with an empty label file: background
	Boxes      int    `json:"boxes"`           // objects
	PerClass   []int  `json:"per_class"`       // objects of each class
	BoxFiles   int    `json:"box_files"`       // label files of boxes
	PolyFiles  int    `json:"polygon_files"`   // label files of polygons
	Cache      string `json:"cache,omitempty"` // where the official code caches the labels
	RAM        int64  `json:"ram_bytes"`       // bytes of all images in memory at Options.ImageSize, for --cache ram
	Raw        int64  `json:"raw_bytes"`       // bytes of all images at full size, for --cache disk

	perImage []int // objects of each image, in the official order
}

// Labels is the kind of the split's labels.
func (s Split) Labels() Labelling {
	switch {
	case s.BoxFiles > 0 && s.PolyFiles > 0:
		return Mixed
	case s.PolyFiles > 0:
		return Polygons
	case s.BoxFiles > 0:
		return Boxes
	}
	return NoLabels
}

// Labels is the kind of the labels that are trained on.
func (s Summary) Labels() Labelling { return s.Splits[Train].Labels() }

// With is the number of images with at least minItems objects: what --min-items leaves of train.
func (s Split) With(minItems int) int {
	n := 0
	for _, k := range s.perImage {
		if k >= minItems {
			n++
		}
	}
	return n
}

// Batches is the number of steps in an epoch of a number of images, for a batch over all GPUs of a trial.
func Batches(images, batch, gpus int) int {
	gpus = max(1, gpus)
	each := (images + gpus - 1) / gpus // images of each GPU
	batch = max(1, min(batch/gpus, images))
	return (each + batch - 1) / batch
}

// Batches is the number of steps in a training epoch, for a batch over all GPUs of a trial: nb of the official code.
// The warm-up lasts max(round(warmup_epochs nb), 100) steps.
func (s Summary) Batches(batch, gpus int) int { return Batches(s.Splits[Train].Images, batch, gpus) }
