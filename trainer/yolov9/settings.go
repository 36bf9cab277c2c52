package yolov9

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// settings are the knobs of one run in the forms that the official code and the launcher take.
type settings struct {
	values trials.Params     // every knob, defaults filled in
	hyp    []entry           // the hyper-parameter file, in its order
	flags  []string          // arguments of the script but those that mapsweep owns
	env    map[string]string // variables that the loss reads
	levers map[string]any    // for the launcher; empty: the script as it is
}

// entry is a line of the hyper-parameter file.
type entry struct {
	key   string
	value any
}

// resolve decodes parameters. bare leaves the levers out, as the official code would: keys that it does not
// know go to the hyper-parameter file, where it ignores them. Faults are an error that names each.
func (b *Backend) resolve(params trials.Params, seed int64, bare bool) (settings, error) {
	s := settings{values: trials.Params{}, env: map[string]string{}, levers: map[string]any{}}
	var faults []error
	for _, k := range knobs() {
		v, given := params[k.Name]
		if !given {
			v = b.fallback(k)
		}
		if err := k.accept(v); err != nil {
			faults = append(faults, err)
			continue
		}
		s.values[k.Name] = v
		switch k.at {
		case inHyp:
			s.hyp = append(s.hyp, entry{k.official(), v})
		case asFlag:
			if k.Name != "cfg" && k.Name != "weights" { // paths: see argv
				s.flags = append(s.flags, k.words(v)...)
			}
		case asSwitch:
			if v == true {
				s.flags = append(s.flags, "--"+k.official())
			}
		case inEnv:
			if !trials.SameValue(v, k.Default) {
				s.env[k.official()] = trials.FormatValue(v)
			}
		case asLever:
			if bare && given {
				s.hyp = append(s.hyp, entry{k.Name, v})
			}
		}
	}
	for _, name := range params.Names() {
		if _, ok := find(name); !ok {
			faults = append(faults, fmt.Errorf("%s is no knob of the official trainer", name))
		}
	}
	if len(faults) > 0 {
		return s, errors.Join(faults...)
	}
	if err := b.agree(s.values); err != nil {
		return s, err
	}
	if !bare {
		s.pull(seed, b.cfg.Replicates > 1)
	}
	return s, nil
}

// find looks a knob up by name.
func find(name string) (knob, bool) {
	for _, k := range knobs() {
		if k.Name == name {
			return k, true
		}
	}
	return knob{}, false
}

// fallback is the value of a knob that a study leaves open.
func (b *Backend) fallback(k knob) any {
	switch k.Name {
	case "cfg":
		return b.cfg.Model
	case "batch_size":
		if b.cfg.Batch > 0 {
			return int64(b.cfg.Batch)
		}
	case "imgsz":
		if b.cfg.ImageSize > 0 {
			return int64(b.cfg.ImageSize)
		}
	}
	return k.Default
}

// accept says what is wrong with a value.
func (k knob) accept(v any) error {
	if k.Kind == trials.Categorical && len(k.Choices) == 0 {
		if k.Name == "freeze" {
			return checkFreeze(v)
		}
		if _, ok := v.(string); !ok {
			return fmt.Errorf("%s is %s: give a text", k.Name, trials.FormatValue(v))
		}
		return nil
	}
	if (trials.Param{Kind: k.Kind, Low: k.Low, High: k.High, Choices: k.Choices}).Contains(v) {
		return nil
	}
	if k.Kind == trials.Categorical {
		var words []string
		for _, c := range k.Choices {
			words = append(words, trials.FormatValue(c))
		}
		return fmt.Errorf("%s is %s: choose one of %s", k.Name, trials.FormatValue(v), strings.Join(words, ", "))
	}
	if x, ok := trials.Number(v); ok && k.Kind == trials.Int && x != math.Trunc(x) {
		return fmt.Errorf("%s is %s: choose a whole number", k.Name, trials.FormatValue(v))
	}
	return fmt.Errorf("%s is %s: choose %s to %s", k.Name, trials.FormatValue(v), trials.FormatValue(k.Low), trials.FormatValue(k.High))
}

// checkFreeze accepts "10", "0 1 2" and a whole number.
func checkFreeze(v any) error {
	for _, w := range strings.Fields(trials.FormatValue(v)) {
		if n, err := strconv.Atoi(w); err != nil || n < 0 {
			return fmt.Errorf("freeze is %q: give a number of first layers, or numbers of layers with blanks between", trials.FormatValue(v))
		}
	}
	return nil
}

// words are the arguments of a flag with its value; none for a value that the script has anyway and
// cannot be told on the command line.
func (k knob) words(v any) []string {
	flag := "--" + k.official()
	text := scalar(v)
	switch {
	case k.Name == "freeze":
		return append([]string{flag}, strings.Fields(text)...)
	case text == "" || text == None:
		return nil // the script's own default
	case k.Kind != trials.Categorical && trials.SameValue(v, k.Default) && k.Name != "batch_size" && k.Name != "imgsz" && k.Name != "workers":
		return nil
	case strings.HasPrefix(text, "-"):
		return []string{flag + "=" + text} // argparse would take it for another flag
	}
	return []string{flag, text}
}

// agree holds knobs against each other and against the devices.
func (b *Backend) agree(v trials.Params) error {
	gpus := b.gpus()
	batch, _ := trials.Number(v["batch_size"])
	var shapes []string
	for _, s := range []string{"cos_lr", "flat_cos_lr", "fixed_lr"} {
		if v[s] == true {
			shapes = append(shapes, s)
		}
	}
	weights, _ := v["weights"].(string)
	size, _ := trials.Number(v["imgsz"])
	used := max(64, math.Ceil(size/32)*32) // what the script makes of it
	switch {
	case size != used:
		return fmt.Errorf("imgsz is %v: the official code trains at %v instead, as it takes multiples of 32 from 64 on; write what you mean (trainer.image_size)", size, used)
	case weights != "" && !isFile(absolute(weights, isFile)) && !isFile(filepath.Join(b.cfg.Checkout, weights)):
		return fmt.Errorf("weights is %s: there is no such file, neither here nor in the checkout, and the official code would look for it on the network", weights)
	case weights != "" && filepath.Ext(weights) != ".pt":
		return fmt.Errorf("weights is %s: the official code takes files that end in .pt only", weights)
	case v["sync_bn"] == true && gpus < 2:
		return errors.New("sync_bn is true with one device: batch statistics are synchronised between GPUs of one trial, and the official script ignores the flag elsewhere; set trainer.gpus to 2 or more, or leave sync_bn out")
	case gpus > 1 && int(batch)%gpus != 0:
		return fmt.Errorf("batch_size %d is no multiple of %d GPUs: the script divides it between them", int(batch), gpus)
	case gpus > 1 && v["image_weights"] == true:
		return errors.New("image_weights is true with several GPUs: the script refuses that")
	case len(shapes) > 1:
		return fmt.Errorf("%s are true at once: the script takes the first and ignores the others", strings.Join(shapes, " and "))
	case v["amp"] == AMPFP16 && b.onCPU():
		return errors.New("amp is fp16 on the CPU: gradients need a scaler there that torch does not have; choose bf16, off or auto")
	}
	return nil
}

// pull decides which levers a run needs: those whose value is not what the official code does anyway.
func (s *settings) pull(seed int64, replicates bool) {
	differs := func(name string) bool {
		k, _ := find(name)
		return !trials.SameValue(s.values[name], k.Default)
	}
	gains := map[string]any{}
	for _, name := range []string{"box", "cls", "dfl"} {
		gains[name], _ = trials.Number(s.values[name])
	}
	if differs("box") || differs("cls") || differs("dfl") {
		s.levers["gains"] = gains
	}
	for _, name := range []string{"label_smoothing", "copy_paste_boxes", "amp", "val_interval", "warmup_floor", "nccl_timeout"} {
		if differs(name) {
			s.levers[name] = s.values[name]
		}
	}
	if differs("autoaugment") {
		s.levers["autoaugment"] = map[string]any{"kind": s.values["autoaugment"], "n": s.values["randaugment_n"], "m": s.values["randaugment_m"]}
	}
	if differs("ema") || differs("ema_decay") || differs("ema_tau") {
		s.levers["ema"] = map[string]any{"on": s.values["ema"], "decay": s.values["ema_decay"], "tau": s.values["ema_tau"]}
	}
	if mode := s.values["seed_images"]; mode == SeedOn || mode == SeedAuto && replicates {
		s.levers["seed_images"] = officialSeed(seed)
	}
}

// gains are those of the losses as multiples of the official ones, by column of results.csv.
func (s settings) gains() map[string]float64 {
	m := map[string]float64{}
	for column, name := range map[string]string{"train/box_loss": "box", "train/cls_loss": "cls", "train/dfl_loss": "dfl"} {
		k, _ := find(name)
		official, _ := trials.Number(k.Default)
		g, _ := trials.Number(s.values[name])
		m[column] = g / official
	}
	return m
}

// officialSeed brings a seed to the range that the script's random generators take: it adds 1 and the rank.
func officialSeed(seed int64) int64 { return int64(uint64(seed) % (1 << 31)) }

// hypFile is the hyper-parameter file. PyYAML reads YAML 1.1: a float needs a point, and an exponent a sign, or
// it becomes a text.
func (s settings) hypFile() string {
	var b strings.Builder
	for _, e := range s.hyp {
		fmt.Fprintf(&b, "%s: %s\n", e.key, yamlScalar(e.value))
	}
	return b.String()
}

// yamlScalar writes a value as YAML 1.1 reads it back with its type.
func yamlScalar(v any) string {
	if x, ok := v.(float64); ok {
		return scalar(x)
	}
	if s, ok := v.(string); ok {
		return strconv.QuoteToASCII(s)
	}
	return scalar(v)
}

// scalar prints a value for a command line: floats in plain decimals with a point, or with a mantissa that has
// one and an exponent that has a sign.
func scalar(v any) string {
	x, ok := v.(float64)
	if !ok {
		return trials.FormatValue(v)
	}
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e15) {
		text := strconv.FormatFloat(x, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(text, "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		return mantissa + "e" + exponent
	}
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// requested is what the launcher compares with the script's configuration after parsing, by official names.
func (s settings) requested(params trials.Params) (want map[string]any, overwritten []string) {
	want = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		k, ok := find(name)
		if !ok || k.at == inEnv || k.at == asLever || name == "cfg" || name == "weights" {
			continue // paths are made absolute, and the rest is not among the script's options
		}
		official := strings.ReplaceAll(k.official(), "-", "_")
		switch v := params[name]; {
		case name == "cache" && v == None, k.Kind == trials.Categorical && v == "":
		case name == "freeze":
			var layers []int
			for _, w := range strings.Fields(trials.FormatValue(v)) {
				n, _ := strconv.Atoi(w)
				layers = append(layers, n)
			}
			want[official] = layers
		default:
			want[official] = v
		}
		if k.inert != "" {
			overwritten = append(overwritten, official)
		}
	}
	return want, overwritten
}

// infeasible is the failure of a point that cannot be run at all.
func infeasible(err error) *trainer.Failure {
	return &trainer.Failure{Class: trials.ClassInfeasible, Reason: err.Error(), Err: err}
}

// absolute makes a path of the study file absolute, if it is there from the working directory; names that only
// the checkout knows stay.
func absolute(path string, exists func(string) bool) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil && exists(abs) {
		return abs
	}
	return path
}
