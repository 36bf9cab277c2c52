package spec

// module describes what a layer can be made of: its arguments, and what follows from them.
type module struct {
	needs, may []string // arguments that it must and may have
	inputs     int      // layers that it reads; 0: two or more
	image      bool     // can read the image
	stride     func(l Layer, x int) int
}

func same(_ Layer, x int) int  { return x }
func twice(_ Layer, x int) int { return 2 * x }

// modules are those that model files can name. Names are the literature's and the official code's.
var modules = map[string]module{
	"Conv":         {needs: []string{"out"}, may: []string{"kernel", "stride"}, inputs: 1, image: true, stride: func(l Layer, x int) int { return l.Stride * x }},
	"AConv":        {needs: []string{"out"}, inputs: 1, stride: twice},
	"ADown":        {needs: []string{"out"}, inputs: 1, stride: twice},
	"ELAN1":        {needs: []string{"out", "split", "hidden"}, inputs: 1, stride: same},
	"RepNCSPELAN4": {needs: []string{"out", "split", "hidden"}, may: []string{"repeats"}, inputs: 1, stride: same},
	"SPPELAN":      {needs: []string{"out", "hidden"}, inputs: 1, stride: same},
	"Upsample":     {inputs: 1, stride: func(_ Layer, x int) int { return x / 2 }},
	"Concat":       {stride: same},
	"CBLinear":     {needs: []string{"outs"}, inputs: 1, stride: same},
	"CBFuse":       {needs: []string{"pick"}, stride: same},
	"Silence":      {inputs: 1, image: true, stride: same},
}

// Head modules.
const (
	DDetect    = "DDetect"    // box and class branches of two 3x3 convolutions, grouped in the box branch
	SlimDetect = "SlimDetect" // branches of one 3x3 convolution to hidden channels
)

var headModules = []string{DDetect, SlimDetect}

// lacking names the arguments that l must have and has not, and those that it has and must not.
func (m module) lacking(l FileLayer) (missing, surplus []string) {
	allowed := map[string]bool{}
	for _, key := range m.needs {
		allowed[key] = true
		if _, ok := l.Args[key]; !ok {
			missing = append(missing, key)
		}
	}
	for _, key := range m.may {
		allowed[key] = true
	}
	for _, key := range sortedKeys(l.Args) {
		if !allowed[key] {
			surplus = append(surplus, key)
		}
	}
	return missing, surplus
}
