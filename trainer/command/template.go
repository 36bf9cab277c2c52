package command

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// token is a doubled brace or a placeholder. Other braces, as in a JSON text, are left alone.
var token = regexp.MustCompile(`\{\{|\}\}|\{[A-Za-z_][A-Za-z0-9_./-]*\}`)

// template holds what placeholders stand for: the job's own names, and over them its parameters.
type template struct {
	job    trainer.Job
	values map[string]string
}

func newTemplate(job trainer.Job) template {
	t := template{job: job, values: map[string]string{
		"seed":    strconv.FormatInt(job.Seed, 10),
		"epochs":  strconv.Itoa(job.Epochs),
		"dir":     job.Dir,
		"params":  filepath.Join(job.Dir, paramsName),
		"metrics": filepath.Join(job.Dir, metricsName),
		"data":    job.Data,
		"split":   job.Split,
		"threads": strconv.Itoa(job.Threads),
		"device":  strings.Join(job.Devices, ","),
		"cuda":    cmp.Or(gpus(job.Devices), "cpu"),
		"resume":  job.Resume,
		"trial":   strconv.Itoa(job.Number),
	}}
	for name, v := range job.Params {
		t.values[name] = trials.FormatValue(v)
	}
	return t
}

// CheckParams implements trainer.Checker: whether every placeholder of the command and its environment stands for
// something when a trial has these parameters.
func (b *Backend) CheckParams(baseline trials.Params, levels map[string][]any) error {
	job := trainer.Job{Params: baseline.Clone()}
	for n := range levels {
		job.Params[n] = ""
	}
	t := newTemplate(job)
	if _, err := t.command("trainer.command", b.cfg.Command, b.cfg.Arguments); err != nil {
		return err
	}
	for _, text := range b.files() {
		if _, err := t.expand(text.form); err != nil {
			return fmt.Errorf("%s: %w", text.key, err)
		}
	}
	if c := b.cfg.Checkpoint; c != nil {
		if _, err := t.command("trainer.checkpoint.resume", c.Resume, b.cfg.Arguments); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Env)) {
		if _, err := t.expand(b.cfg.Env[name]); err != nil {
			return fmt.Errorf("trainer.env.%s: %w", name, err)
		}
	}
	return nil
}

// form is a template with the key of the study file that it stands under.
type form struct{ key, form string }

// files are the templates of file names.
func (b *Backend) files() []form {
	var all []form
	if t := b.cfg.Table; t != nil {
		all = append(all, form{"trainer.metrics.file", t.File})
	}
	if c := b.cfg.Checkpoint; c != nil {
		all = append(all, form{"trainer.checkpoint.file", c.File})
	}
	return all
}

// path fills the name of a file, which is relative to the trial's directory.
func (t template) path(key, form string) (string, error) {
	text, err := t.expand(form)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	if !filepath.IsAbs(text) {
		text = filepath.Join(t.job.Dir, text)
	}
	return filepath.Clean(text), nil
}

// command fills a command.
func (t template) command(key string, words []string, a *Arguments) ([]string, error) {
	var args []string
	for _, word := range words {
		if word == argumentsMark && a != nil {
			flags, err := a.of(t.job.Params, named(words))
			if err != nil {
				return nil, err
			}
			args = append(args, flags...)
			continue
		}
		text, err := t.expand(word)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		args = append(args, text)
	}
	return args, nil
}

// fill makes the program's arguments and environment.
func (t template) fill(cfg Config) (args, env []string, err error) {
	key, words := "trainer.command", cfg.Command
	if c := cfg.Checkpoint; c != nil && len(c.Resume) > 0 && t.job.Resume != "" {
		key, words = "trainer.checkpoint.resume", c.Resume
	}
	if args, err = t.command(key, words, cfg.Arguments); err != nil {
		return nil, nil, err
	}
	env = append(os.Environ(), t.environment()...)
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		text, err := t.expand(cfg.Env[name])
		if err != nil {
			return nil, nil, fmt.Errorf("trainer.env.%s: %w", name, err)
		}
		env = append(env, name+"="+text)
	}
	return args, env, nil
}

// expand replaces the placeholders of one text.
func (t template) expand(text string) (string, error) {
	var err error
	out := token.ReplaceAllStringFunc(text, func(tok string) string {
		switch tok {
		case "{{":
			return "{"
		case "}}":
			return "}"
		}
		name := tok[1 : len(tok)-1]
		v, ok := t.values[name]
		if !ok && err == nil {
			err = fmt.Errorf("%s is no parameter of this trial: there are %s (write {%s} for the text itself)", tok, t.names(), tok)
		}
		return v
	})
	return out, err
}

func (t template) names() string {
	return strings.Join(slices.Sorted(maps.Keys(t.values)), ", ")
}

// environment lists what every program gets; later entries win over this process's own.
func (t template) environment() []string {
	v := t.values
	job := t.job
	env := []string{
		"MAPSWEEP_PARAMS=" + filepath.Join(job.Dir, paramsName),
		"MAPSWEEP_METRICS=" + filepath.Join(job.Dir, metricsName),
		"MAPSWEEP_DIR=" + job.Dir,
		"MAPSWEEP_SEED=" + strconv.FormatInt(job.Seed, 10),
		"MAPSWEEP_EPOCHS=" + strconv.Itoa(job.Epochs),
		"MAPSWEEP_DATA=" + job.Data,
		"MAPSWEEP_SPLIT=" + job.Split,
		"MAPSWEEP_THREADS=" + strconv.Itoa(job.Threads),
		"MAPSWEEP_DEVICES=" + strings.Join(job.Devices, ","),
		"MAPSWEEP_RESUME=" + job.Resume,
		"MAPSWEEP_TRIAL=" + strconv.Itoa(job.Number),
	}
	for _, name := range job.Params.Names() {
		env = append(env, "MAPSWEEP_PARAM_"+variable(name)+"="+v[name])
	}
	if _, set := os.LookupEnv("OMP_NUM_THREADS"); !set && job.Threads > 0 {
		env = append(env, "OMP_NUM_THREADS="+strconv.Itoa(job.Threads))
	}
	if numbers := gpus(job.Devices); numbers != "" {
		env = append(env, "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES="+numbers)
	}
	return env
}

// gpus are the numbers of the GPUs among devices, "0,3", or "" if there are none.
func gpus(devices []string) string {
	var numbers []string
	for _, d := range devices {
		if n, ok := strings.CutPrefix(d, "cuda:"); ok {
			numbers = append(numbers, n)
		}
	}
	return strings.Join(numbers, ",")
}

// variable is a parameter's name in the environment: loss/box becomes LOSS_BOX.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// placeholders lists the placeholders of a text.
func placeholders(text string) []string {
	var all []string
	for _, tok := range token.FindAllString(text, -1) {
		if tok != "{{" && tok != "}}" {
			all = append(all, tok)
		}
	}
	return all
}
