package standin

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plan is what the launcher is told, as far as it matters here.
type plan struct {
	Mode      string            `json:"mode"`
	Script    string            `json:"script"`
	Argv      []string          `json:"argv"`
	Levers    map[string]any    `json:"levers"`
	Env       map[string]string `json:"env"`
	Requested map[string]any    `json:"requested"`
	Resume    *struct {
		From, To string
		Epochs   int
	} `json:"resume"`
	Out   string `json:"out"`
	Steps int    `json:"steps"`
	Runs  []plan `json:"runs"`
}

// Main plays Python: args are those behind the program's name. It returns the exit status.
func Main(args []string) int {
	if len(args) > 0 && args[0] == "-m" { // torch.distributed.run: one rank is enough here
		args = args[len(args)-2:]
	}
	if i := slices.Index(args, "-c"); i >= 0 && len(args) > i+3 {
		fmt.Printf("\n%s%s\n", args[i+2], probed(args[i+4:]))
		return 0
	}
	if len(args) < 2 || filepath.Base(args[0]) != "start.py" {
		return fail(fmt.Errorf("what is %q", args))
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return fail(err)
	}
	var p plan
	if err := json.Unmarshal(data, &p); err != nil {
		return fail(err)
	}
	switch p.Mode {
	case "cache":
		return write(p.Out, map[string]any{})
	case "export":
		return write(p.Out, map[string]any{"names": []string{"a"}, "images": []string{"1.png"},
			"truths": []any{map[string]any{"file": "1.png", "class": 0, "box": []float64{10, 10, 20, 20}}},
			"found":  []any{map[string]any{"file": "1.png", "class": 0, "box": []float64{10, 10, 20, 20}, "score": 0.9}}})
	case "trace":
		return trace(p)
	}
	s, err := begin(p)
	if err != nil {
		return fail(err)
	}
	return s.train()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "stand-in:", err)
	return 1
}

func write(path string, v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return fail(err)
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o666); err != nil {
		return fail(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fail(err)
	}
	return 0
}

// session is one training.
type session struct {
	plan    plan
	options map[string]any
	hyp     map[string]float64
	dir     string
	epochs  int
	first   int
	seed    int64
	rules   []Rule
}

// begin reads arguments and hyper-parameters, and makes the folder of the run.
func begin(p plan) (*session, error) {
	s := &session{plan: p, options: options(p.Argv), hyp: map[string]float64{}}
	text, err := os.ReadFile(fmt.Sprint(s.options["hyp"]))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			s.hyp[k], _ = strconv.ParseFloat(v, 64)
			s.options[k] = s.hyp[k]
		}
	}
	s.options["anchor_t"] = 5.0
	if n, ok := s.options["epochs"].(float64); ok {
		s.epochs = int(n)
	}
	if n, ok := s.options["seed"].(float64); ok {
		s.seed = int64(n)
	}
	s.dir = filepath.Join(fmt.Sprint(s.options["project"]), fmt.Sprint(s.options["name"]))
	if p.Resume != nil {
		s.dir, s.first = p.Resume.To, p.Resume.Epochs
	} else if _, err := os.Stat(s.dir); err == nil {
		return nil, fmt.Errorf("folder %s is used already", s.dir)
	}
	if s.rules, err = rules(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "weights"), 0o777); err != nil {
		return nil, err
	}
	if p.Resume != nil {
		return s, s.carryOver(p.Resume.From)
	}
	return s, nil
}

// options are arguments by name, as argparse understands them.
func options(argv []string) map[string]any {
	o := map[string]any{"weights": "", "cache": nil, "workers": 8.0, "label_smoothing": 0.0, "freeze": []any{0.0}, "patience": 100.0, "optimizer": "SGD"}
	for i := 0; i < len(argv); i++ {
		name, value, ok := strings.Cut(strings.TrimPrefix(argv[i], "--"), "=")
		name = strings.ReplaceAll(name, "-", "_")
		if !ok {
			if i+1 >= len(argv) || strings.HasPrefix(argv[i+1], "--") {
				o[name] = true
				continue
			}
			i++
			value = argv[i]
		}
		if name == "freeze" {
			var layers []any
			for n, err := strconv.ParseFloat(value, 64); err == nil; n, err = strconv.ParseFloat(value, 64) {
				layers = append(layers, n)
				if i+1 >= len(argv) || strings.HasPrefix(argv[i+1], "--") {
					break
				}
				i++
				value = argv[i]
			}
			o[name] = layers
			continue
		}
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			o[name] = x
		} else {
			o[name] = value
		}
	}
	return o
}

// carryOver copies rows and checkpoint of an earlier attempt.
func (s *session) carryOver(from string) error {
	text, err := os.ReadFile(filepath.Join(from, "results.csv"))
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(text), "\n")
	keep := min(len(lines)-1, s.first+1)
	if err := os.WriteFile(filepath.Join(s.dir, "results.csv"), []byte(strings.Join(lines[:keep], "")), 0o666); err != nil {
		return err
	}
	return s.save(s.first-1, false)
}

// save writes a checkpoint and its note.
func (s *session) save(epoch int, ended bool) error {
	data := []byte(fmt.Sprintf(`{"epoch": %d}`, epoch))
	path := filepath.Join(s.dir, "weights", "last.pt")
	if err := os.WriteFile(path+".tmp", data, 0o666); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "weights", "best.pt"), data, 0o666); err != nil {
		return err
	}
	if write(filepath.Join(s.dir, "weights", "last.json"), map[string]any{"epoch": epoch, "bytes": len(data), "ended": ended}) != 0 {
		return fmt.Errorf("note of the checkpoint")
	}
	return nil
}

// rule is the first rule that is due in this epoch.
func (s *session) rule(epoch int, is ...string) (Rule, bool) {
	for _, r := range s.rules {
		for _, kind := range is {
			if r.Do == kind && r.fits(s.hyp, s.dir) && (r.Epoch == epoch || (kind == DoNaN || kind == DoExplode) && epoch >= r.Epoch || kind == DoSlow || kind == DoSlowSave) {
				return r, true
			}
		}
	}
	return Rule{}, false
}

// train writes a row and a checkpoint for each epoch.
func (s *session) train() int {
	if write(filepath.Join(s.dir, "effective.json"), map[string]any{"options": s.options, "levers": s.pulled(), "env": s.plan.Env, "shims": []string{}, "wrong": map[string]any{}, "python": "3.0", "torch": "0", "numpy": "0"}) != 0 {
		return 1
	}
	times := map[int]float64{}
	for e := s.first; e < s.epochs; e++ {
		if code, over := s.trouble(e); over {
			return code
		}
		if r, ok := s.rule(e, DoSlow); ok {
			time.Sleep(time.Duration(r.MS) * time.Millisecond)
		}
		times[e] = 0.01
		if write(filepath.Join(s.dir, "times.json"), times) != 0 {
			return 1
		}
		if err := s.row(e); err != nil {
			return fail(err)
		}
		if _, ok := s.rule(e, DoAfterRow); ok {
			time.Sleep(300 * time.Millisecond) // let the row be seen
			die()
		}
		if r, ok := s.rule(e, DoSlowSave); ok {
			time.Sleep(time.Duration(r.MS) * time.Millisecond)
		}
		if err := s.save(e, false); err != nil {
			return fail(err)
		}
	}
	if _, ok := s.rule(0, DoLate); ok {
		return exception("cv2.error: drawing failed")
	}
	if err := s.save(s.epochs-1, true); err != nil {
		return fail(err)
	}
	return 0
}

// pulled flattens the levers to knobs, as the launcher notes them.
func (s *session) pulled() map[string]any {
	out := map[string]any{}
	for name, v := range s.plan.Levers {
		m, nested := v.(map[string]any)
		switch {
		case name == "gains":
			for k, x := range m {
				out[k] = x
			}
		case name == "ema":
			out["ema"], out["ema_decay"], out["ema_tau"] = m["on"], m["decay"], m["tau"]
		case name == "autoaugment":
			out["autoaugment"], out["randaugment_n"], out["randaugment_m"] = m["kind"], m["n"], m["m"]
		case name == "seed_images":
			out[name] = "on"
		case !nested:
			out[name] = v
		}
	}
	return out
}

func die() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); time.Sleep(time.Second) }

func exception(text string) int {
	fmt.Fprintf(os.Stderr, "Traceback (most recent call last):\n  File \"train.py\", line 1, in <module>\n%s\n", text)
	return 1
}

// trouble does what a rule asks for before an epoch; over says that the run ends with the code.
func (s *session) trouble(epoch int) (code int, over bool) {
	r, ok := s.rule(epoch, DoCrash, DoHang, DoDeaf, DoMemory, DoHostMemory, DoData, DoPackage, DoScript, DoFull, DoChild, DoEmpty)
	if !ok {
		return 0, false
	}
	switch r.Do {
	case DoCrash:
		return exception("RuntimeError: something broke"), true
	case DoMemory:
		return exception("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.69 GiB"), true
	case DoData:
		return exception("Exception: Dataset not found"), true
	case DoPackage:
		return exception("ModuleNotFoundError: No module named 'thop'"), true
	case DoScript:
		return exception("AttributeError: 'list' object has no attribute 'view'"), true
	case DoFull:
		return exception("OSError: [Errno 28] No space left on device"), true
	case DoHostMemory:
		die()
	case DoDeaf:
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case DoHang:
		time.Sleep(time.Hour)
	case DoEmpty:
		time.Sleep(300 * time.Millisecond) // let what is there be seen
		if err := os.Truncate(filepath.Join(s.dir, "results.csv"), 0); err != nil {
			return fail(err), true
		}
	case DoChild:
		child := exec.Command("sleep", "3600")
		if err := child.Start(); err != nil {
			return fail(err), true
		}
	}
	return 0, false
}

// heads are the columns of results.csv in the official order.
var heads = []string{"epoch", "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision", "metrics/recall", "metrics/mAP_0.5",
	"metrics/mAP_0.5:0.95", "val/box_loss", "val/cls_loss", "val/dfl_loss", "x/lr0", "x/lr1", "x/lr2"}

// row appends a row as the official code does: 20 wide, five digits, the epoch from 0.
func (s *session) row(epoch int) error {
	path := filepath.Join(s.dir, "results.csv")
	text := ""
	if _, err := os.Stat(path); err != nil {
		for i, h := range heads {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf("%20s", h)
		}
		text += "\n"
	}
	loss := 3 / float64(epoch+1)
	if _, ok := s.rule(epoch, DoNaN); ok {
		loss = math.NaN()
	}
	if _, ok := s.rule(epoch, DoExplode); ok {
		loss = 2e6
	}
	ap := Score(s.hyp, s.gain("box"), s.seed, epoch)
	val := 0.0
	if s.plan.Script == "train.py" {
		val = 2 / float64(epoch+1)
	}
	lr := s.hyp["lr0"]
	values := []float64{float64(epoch), loss, loss / 2, loss / 3, ap, ap, min(1, 1.5*ap), ap, val, val, val, lr, lr, lr}
	for i, v := range values {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf("%20s", digits(v))
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text + "\n")
	return err
}

// digits is C's %.5g.
func digits(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case v == 0:
		return "0"
	}
	e := math.Floor(math.Log10(math.Abs(v)))
	if e < -5 || e >= 5 {
		return strconv.FormatFloat(v, 'e', 4, 64)
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', int(4-e), 64), "0"), ".")
}

func (s *session) gain(name string) float64 {
	if g, ok := s.plan.Levers["gains"].(map[string]any); ok {
		if x, ok := g[name].(float64); ok {
			return x
		}
	}
	return 7.5
}

// Score is the stand-in's mAP50-95 after an epoch (from 0): best near lr0 0.01, a little better with a larger box
// gain and without mixup, with noise that a seed's replicates share in part.
func Score(hyp map[string]float64, box float64, seed int64, epoch int) float64 {
	v := 0.5 - 0.08*math.Abs(math.Log10(hyp["lr0"]/0.01)) + 0.002*(box-7.5) - 0.05*hyp["mixup"] + 0.03*hyp["mosaic"]
	h := fnv.New64a()
	fmt.Fprint(h, seed)
	v += 0.02 * (float64(h.Sum64()%1000)/1000 - 0.5)
	fmt.Fprint(h, box, hyp["mixup"], hyp["lr0"], hyp["mosaic"])
	v += 0.004 * (float64(h.Sum64()%1000)/1000 - 0.5)
	return max(0, v*(1-math.Exp(-float64(epoch+1)/2)))
}
