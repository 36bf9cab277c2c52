package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// module is a package that the official code imports.
type module struct {
	name string // as imported
	dist string // as the package index knows it
	need need
	what string // for optional ones: what is lost without
}

type need int

const (
	required  need = iota // the training scripts import it when they start
	optional              // used if there
	phoneHome             // a logger that goes to the network if there
)

// modules lists what the training scripts import, directly or through utils and models, at the studied commit.
var modules = []module{
	{"torch", "torch", required, ""},
	{"torchvision", "torchvision", required, ""},
	{"numpy", "numpy", required, ""},
	{"cv2", "opencv-python-headless", required, ""},
	{"PIL", "pillow", required, ""},
	{"yaml", "pyyaml", required, ""},
	{"pandas", "pandas", required, ""},
	{"matplotlib", "matplotlib", required, ""},
	{"seaborn", "seaborn", required, ""},
	{"scipy", "scipy", optional, ""},
	{"tqdm", "tqdm", required, ""},
	{"psutil", "psutil", required, ""},
	{"requests", "requests", required, ""},
	{"IPython", "ipython", required, ""},
	{"tensorboard", "tensorboard", required, ""},
	{"pkg_resources", "setuptools", optional, ""}, // judged by itself: the launcher has a stand-in
	{"albumentations", "albumentations", optional, ""},
	{"pycocotools", "pycocotools", optional, "COCO evaluation of data whose val is val2017.txt"},
	{"thop", "thop", optional, "the GFLOPs in the model summary"},
	{"wandb", "wandb", phoneHome, ""},
	{"comet_ml", "comet-ml", phoneHome, ""},
	{"clearml", "clearml", phoneHome, ""},
}

// KnownGood is a set of versions that the official code was run with, unpatched, on Python 3.11.
var KnownGood = map[string]string{
	"torch": "2.5.1", "torchvision": "0.20.1", "numpy": "1.26.4", "opencv-python-headless": "4.10.0.84", "pillow": "9.5.0",
	"setuptools": "75.8.0", "albumentations": "1.3.1", "pandas": "2.2.3", "matplotlib": "3.8.4", "seaborn": "0.13.2",
	"scipy": "1.13.1", "tensorboard": "2.17.1", "ipython": "8.26.0",
}

// KnownShimmed is a set of newer versions that it was run with through our launcher, on Python 3.11.
var KnownShimmed = map[string]string{
	"torch": "2.15.0", "torchvision": "0.29.2", "numpy": "2.4.6", "opencv-python-headless": "5.0.0.93", "pillow": "13.0.0",
	"setuptools": "84.2.1", "albumentations": "2.0.8", "pandas": "3.1.1", "matplotlib": "3.11.2",
}

// bad is a version of a package that the official code does not get along with.
type bad struct {
	dist   string
	from   string // first bad version
	what   string
	mended bool // our launcher mends it
}

var knownBad = []bad{
	{"torch", "2.6", "torch.load refuses the official checkpoints, which are pickles of whole models, so the end of training, --weights and resuming fail", true},
	{"numpy", "2.4", "numpy.trapz is gone, so validation fails as soon as something is detected", true},
	{"pillow", "10", "FreeTypeFont.getsize is gone, so plots fail (training does not)", true},
	{"setuptools", "82", "pkg_resources is gone, so the official code cannot be imported", true},
	{"albumentations", "2", "the official code cannot construct its Albumentations (other arguments), says so in one line and trains without blur, grey and CLAHE", false},
}

// Uses says which options of a study are known to clash with some Pythons.
type Uses struct {
	MultiScale bool // --multi-scale
	GPU        bool // trains on CUDA devices
}

// JudgePython makes the faults of a Python.
func JudgePython(p Python, uses Uses) Faults {
	all := judgeInterpreter(p, uses)
	all = append(all, judgeMissing(p)...)
	for _, b := range knownBad {
		v, ok := p.Has(b.dist)
		if !ok || !atLeast(v, b.from) {
			continue
		}
		f := one(Note, AreaPython, b.dist+"-version", p.Path, "nothing: mapsweep's launcher mends it", "%s %s: %s", b.dist, v, b.what)
		if !b.mended {
			f.Level, f.Do = Warning, fmt.Sprintf("pip install %s==%s, or uninstall it, and keep it so for all trials that are compared", b.dist, KnownGood[b.dist])
		}
		all = append(all, f)
	}
	if !p.Modules["albumentations"] {
		all = append(all, one(Note, AreaPython, "albumentations-none", p.Path, "",
			"albumentations is not installed: trained pictures get no blur, grey or CLAHE (1 %% each), and other random numbers than with it"))
	}
	if !p.Modules["pkg_resources"] {
		if _, ok := p.Has("setuptools"); !ok {
			all = append(all, one(Note, AreaPython, "setuptools-none", p.Path, "nothing: mapsweep's launcher mends it", "setuptools is not installed, and with it pkg_resources, which the official code imports"))
		}
	}
	all = append(all, judgeOpenCV(p)...)
	all = append(all, judgeKnown(p)...)
	return append(all, judgeCUDA(p, uses)...)
}

// judgeInterpreter looks at the version of Python itself.
func judgeInterpreter(p Python, uses Uses) Faults {
	var all Faults
	add := func(l Level, kind, do, format string, args ...any) {
		all = append(all, one(l, AreaPython, kind, p.Path, do, format, args...))
	}
	if p.Implementation != "" && p.Implementation != "CPython" {
		add(Warning, "python-implementation", "use CPython", "this is %s, which torch is not built for", p.Implementation)
	}
	switch {
	case !atLeast(p.Version, "3.7"):
		add(Error, "python-version", "use Python 3.8 to 3.13; 3.11 is the one that was tried", "Python %s is too old for the official code and for every torch of today", p.Version)
	case !atLeast(p.Version, "3.8") || atLeast(p.Version, "3.14"):
		add(Warning, "python-version", "use Python 3.8 to 3.13; 3.11 is the one that was tried", "Python %s was never tried with the official code", p.Version)
	}
	if atLeast(p.Version, "3.12") {
		if uses.MultiScale {
			add(Note, "python-multi-scale", "nothing: mapsweep's launcher mends it", "Python %s: random.randrange takes no fractions from 3.12 on, so --multi-scale fails in its first step", p.Version)
		}
	}
	if p.StartMethod != "" && p.StartMethod != "fork" && p.Platform == "linux" {
		add(Note, "python-start-method", "nothing: mapsweep's launcher mends it", "this Python starts worker processes by %s, not fork: each would load the official code anew, without the launcher's levers", p.StartMethod)
	}
	return all
}

// judgeMissing looks for modules that are not there, broken, or better away.
func judgeMissing(p Python) Faults {
	var all Faults
	var gone, names, home []string
	for _, m := range modules {
		switch {
		case p.Broken[m.name] != "" && m.need == required:
			all = append(all, one(Error, AreaPython, "module-broken-"+m.name, p.Path, brokenHelp(m, p.Broken[m.name]), "import %s fails: %s", m.name, p.Broken[m.name]))
		case p.Broken[m.name] != "" && m.name != "pkg_resources":
			all = append(all, one(Warning, AreaPython, "module-broken-"+m.name, p.Path, "reinstall or uninstall "+m.dist, "import %s fails: %s", m.name, p.Broken[m.name]))
		case m.need == required && !p.Modules[m.name]:
			gone, names = append(gone, m.dist), append(names, "import "+m.name)
		case m.need == optional && m.what != "" && !p.Modules[m.name]:
			all = append(all, one(Note, AreaPython, m.dist+"-none", p.Path, "", "%s is not installed: without it there is no %s", m.dist, strings.TrimPrefix(m.what, "the ")))
		case m.need == phoneHome && p.Modules[m.name]:
			home = append(home, m.dist)
		}
	}
	if len(gone) > 0 {
		f := one(Error, AreaPython, "modules-missing", p.Path, "pip install "+strings.Join(versioned(gone), " "), "packages are missing that the training scripts import")
		f.list(names)
		all = append(all, f)
	}
	if len(home) > 0 {
		f := one(Note, AreaPython, "loggers-home", p.Path, "pip uninstall "+strings.Join(home, " "), "loggers are installed that the official code starts, and that go to the network; mapsweep keeps them off by their environment variables")
		f.list(home)
		all = append(all, f)
	}
	return all
}

// versioned adds the known-good version of each package, except of torch and numpy, which must fit the machine.
func versioned(dists []string) []string {
	var all []string
	for _, d := range dists {
		if v := KnownGood[d]; v != "" && d != "torch" && d != "torchvision" && d != "numpy" {
			d += "==" + v
		}
		all = append(all, d)
	}
	return all
}

// brokenHelp says what to do about a module that is there and cannot be imported.
func brokenHelp(m module, message string) string {
	switch {
	case m.name == "cv2" && strings.Contains(message, "libGL"):
		return "pip uninstall opencv-python and pip install opencv-python-headless, which needs no display libraries"
	case strings.Contains(message, "numpy") && m.name != "numpy":
		return "install versions of " + m.dist + " and numpy that fit each other; known to work: " + m.dist + " " + KnownGood[m.dist] + " with numpy " + KnownGood["numpy"]
	}
	return "reinstall " + m.dist
}

// judgeOpenCV finds several builds of OpenCV in one environment: they overwrite each other's files.
func judgeOpenCV(p Python) Faults {
	var found []string
	for _, d := range []string{"opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"} {
		if v, ok := p.Has(d); ok {
			found = append(found, d+" "+v)
		}
	}
	if len(found) < 2 {
		return nil
	}
	return Faults{one(Warning, AreaPython, "opencv-several", p.Path, "uninstall all but one", "several builds of OpenCV are installed over each other: %s", strings.Join(found, ", "))}
}

// judgeKnown compares with the sets of versions that were run.
func judgeKnown(p Python) Faults {
	for _, set := range []map[string]string{KnownGood, KnownShimmed} {
		if len(differences(p, set)) == 0 {
			return nil
		}
	}
	f := one(Note, AreaPython, "versions-untried", p.Path, "", "these versions together were not tried; nearest tried set, and what is here")
	near := KnownGood
	if v, ok := p.Has("torch"); ok && atLeast(v, "2.6") {
		near = KnownShimmed
	}
	f.Places = differences(p, near)
	if len(f.Places) > 2*placesPerFault {
		f.Places = f.Places[:2*placesPerFault]
	}
	return Faults{f}
}

// differences lists the packages of a set that are here in another version; those that are not here are told elsewhere.
func differences(p Python, set map[string]string) []string {
	var all []string
	for d, want := range set {
		if got, ok := p.Has(d); ok && release(got) != release(want) {
			all = append(all, fmt.Sprintf("%s %s, here %s", d, want, got))
		}
	}
	slices.Sort(all)
	return all
}

// judgeCUDA looks at what torch says of GPUs.
func judgeCUDA(p Python, uses Uses) Faults {
	c := p.CUDA
	if c == nil || !uses.GPU {
		return nil
	}
	switch {
	case c.Error != "":
		return Faults{one(Error, AreaGPU, "cuda-error", p.Path, "check nvidia-smi and the driver", "torch fails when asked for GPUs: %s", c.Error)}
	case c.Built == "":
		return Faults{one(Error, AreaGPU, "cuda-build", p.Path, "install a build of torch with CUDA, or set trainer.device to cpu", "this torch was built without CUDA, and the study trains on GPUs")}
	case !c.Available || len(c.Devices) == 0:
		return Faults{one(Error, AreaGPU, "cuda-none", p.Path, "check nvidia-smi, the driver (it must know CUDA "+c.Built+") and CUDA_VISIBLE_DEVICES, or set trainer.device to cpu", "torch sees no GPU, and the study trains on GPUs")}
	}
	return nil
}

// release is a version without its local part: 2.5.1 of 2.5.1+cu121.
func release(v string) string {
	v, _, _ = strings.Cut(v, "+")
	return v
}

// atLeast compares versions by their leading numbers.
func atLeast(v, least string) bool {
	a, b := numbers(v), numbers(least)
	for i := range max(len(a), len(b)) {
		x, y := 0, 0
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c > 0
		}
	}
	return true
}

// numbers are the leading numbers of a version: 3, 12, 0 of 3.12.0rc1.
func numbers(v string) []int {
	var all []int
	for _, part := range strings.Split(release(v), ".") {
		end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		digits := part
		if end >= 0 {
			digits = part[:end]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return all
		}
		all = append(all, n)
		if end >= 0 {
			return all
		}
	}
	return all
}
