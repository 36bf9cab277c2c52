package spec

// File is a model file as it is written, decoded and not yet resolved.
type File struct {
	Name   string
	About  string  // one line for people
	Width  float64 // factor of all channel counts; results are rounded up to multiples of 8. 1: as written
	Depth  float64 // factor of all repeats; results are rounded, at least 1
	Bins   int     // distribution bins a box side
	Labels bool    // parameters are named by layers' labels (gelan-n), not by their numbers
	Layers []FileLayer
	Head   FileHead
	Source []byte // the file itself
	path   string
	named  map[string]Pos // of the top keys
}

// FileLayer is one line of the list of layers.
type FileLayer struct {
	Module string
	From   []string // labels, or Above or Image; none: the layer above
	As     string   // label for other layers to name it by
	Args   map[string][]int
	Pos
	at   map[string]Pos // of each key's value
	from []Pos          // of each of From
	// broken: it has a fault, and its shape is not known.
	broken bool
}

// FileHead says what the head is made of. Levels are labels of layers, from the finest stride to the coarsest.
type FileHead struct {
	Module          string
	Hidden          int // of SlimDetect: channels inside its branches
	Main, Auxiliary []string
	Weight          float64 // of the auxiliary head's loss, unless a run says otherwise; 0: the head is not built then
	Pos
	main, auxiliary []Pos
	hidden          Pos
}

// Words that stand for a layer.
const (
	Above = "above" // the layer before this one in the list; the image, for the first
	Image = "image"
)

// Defaults of a model file.
const (
	defaultBins   = 16
	defaultWeight = 0.25 // as the official training has it
)

// Bounds of a model file: above any real one, low enough that none does harm.
const (
	maxFile     = 64 << 10 // bytes; the YAML parser's time grows with the square
	maxLayers   = 256
	maxChannels = 1 << 14
	maxRepeats  = 64
	maxGroups   = 16      // of CBLinear
	maxStride   = 64      // pixels of the image a cell
	maxParams   = 1 << 30 // of a model
	maxClasses  = 1 << 14
	maxLevels   = 6
	maxBins     = 64
)

// argument describes one argument of modules.
type argument struct {
	low, high int
	list      bool
	channels  bool // Width applies
	repeats   bool // Depth applies
}

// arguments are all that modules have, by their keys.
var arguments = map[string]argument{
	"out":     {low: 1, high: maxChannels, channels: true},
	"split":   {low: 2, high: maxChannels, channels: true},
	"hidden":  {low: 1, high: maxChannels, channels: true},
	"outs":    {low: 1, high: maxChannels, channels: true, list: true},
	"kernel":  {low: 1, high: 3},
	"stride":  {low: 1, high: 2},
	"repeats": {low: 1, high: maxRepeats, repeats: true},
	"pick":    {low: 0, high: maxGroups - 1, list: true},
}
