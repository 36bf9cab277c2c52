package command

import (
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
	for _, a := range b.cfg.Command {
		if _, err := t.expand(a); err != nil {
			return fmt.Errorf("trainer.command: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Env)) {
		if _, err := t.expand(b.cfg.Env[name]); err != nil {
			return fmt.Errorf("trainer.env.%s: %w", name, err)
		}
	}
	return nil
}

// fill makes the program's arguments and environment.
func (t template) fill(cfg Config) (args, env []string, err error) {
	for _, a := range cfg.Command {
		text, err := t.expand(a)
		if err != nil {
			return nil, nil, fmt.Errorf("trainer.command: %w", err)
		}
		args = append(args, text)
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
	var gpus []string
	for _, d := range job.Devices {
		if n, ok := strings.CutPrefix(d, "cuda:"); ok {
			gpus = append(gpus, n)
		}
	}
	if len(gpus) > 0 {
		env = append(env, "CUDA_VISIBLE_DEVICES="+strings.Join(gpus, ","))
	}
	return env
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
