package preflight

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trainer/internal/process"
)

// Python is what a Python has for the official code.
type Python struct {
	Path           string            `json:"path"`
	Version        string            `json:"version"`
	Implementation string            `json:"implementation"` // CPython
	Platform       string            `json:"platform"`       // linux, darwin, win32
	Machine        string            `json:"machine"`
	Venv           bool              `json:"venv"`
	Distributions  map[string]string `json:"distributions"` // versions of all installed packages by name, lower case
	Modules        map[string]bool   `json:"modules"`       // whether each module that was asked for is there
	Broken         map[string]string `json:"broken,omitempty"`
	Imported       map[string]string `json:"imported,omitempty"` // versions as the modules tell them, where they were imported
	StartMethod    string            `json:"start_method"`       // how it starts worker processes: fork, forkserver, spawn
	CUDA           *CUDA             `json:"cuda,omitempty"`     // nil unless torch was imported
}

// CUDA is what torch sees of GPUs.
type CUDA struct {
	Built     string   `json:"built"` // the CUDA version of torch's build; "": a build without
	Available bool     `json:"available"`
	Error     string   `json:"error,omitempty"`
	Devices   []Device `json:"devices"`
}

// Device is one GPU.
type Device struct {
	Name       string `json:"name"`
	Memory     int64  `json:"memory"` // bytes
	Free       int64  `json:"free"`   // bytes; 0: unknown
	Capability string `json:"capability"`
}

// Has returns the version of an installed package; names are those of the package index.
func (p Python) Has(dist string) (string, bool) {
	v, ok := p.Distributions[dist]
	return v, ok
}

// ProbeOptions say how a Python is asked.
type ProbeOptions struct {
	// Import imports the packages instead of only looking for them: slower by 5 to 20 seconds, but finds broken
	// ones, and GPUs.
	Import  bool
	Env     []string      // whole environment; nil: this process's
	Timeout time.Duration // 0: a minute, or two with Import
}

//go:embed probe.py
var probe string

// Probe starts a Python and asks what it has. Sentinels of its errors: context causes; the rest says what to do.
func Probe(ctx context.Context, python string, opts ProbeOptions) (Python, error) {
	if python == "" {
		return Python{}, errors.New("probe python: none is given: name the interpreter of the environment that has torch")
	}
	at, err := exec.LookPath(python)
	if err != nil {
		return Python{}, fmt.Errorf("probe python %s: %w: give the path of an interpreter that has torch", python, err)
	}
	if at, err = filepath.Abs(at); err != nil {
		return Python{}, fmt.Errorf("probe python %s: %w", python, err)
	}
	text, err := runProbe(ctx, at, opts)
	if err != nil {
		return Python{}, fmt.Errorf("probe python %s: %w", python, err)
	}
	p := Python{}
	if err := json.Unmarshal(text, &p); err != nil || p.Version == "" {
		return Python{}, fmt.Errorf("probe python %s: its answer is not what was asked for (%.80q): is it a Python 3?", python, text)
	}
	p.Path = at
	return p, nil
}

// probeMark begins the line of the answer; other lines are start-up noise.
const probeMark = "mapsweep-probe:"

// runProbe returns the JSON that the probe printed.
func runProbe(ctx context.Context, at string, opts ProbeOptions) ([]byte, error) {
	mode, limit := "look", time.Minute
	if opts.Import {
		mode, limit = "import", 2*time.Minute
	}
	if opts.Timeout > 0 {
		limit = opts.Timeout
	}
	if opts.Env == nil {
		opts.Env = os.Environ()
	}
	out, err := os.CreateTemp("", "mapsweep-probe-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	args := []string{at, "-W", "ignore", "-c", probe, probeMark, mode}
	for _, m := range modules {
		args = append(args, m.name)
	}
	timed, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	// The working directory must hold no modules: it stands first in the path of -c until the probe removes it.
	exit, err := process.Run(timed, process.Command{Args: args, Env: opts.Env, Dir: string(filepath.Separator), Output: out, Grace: time.Second})
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	text, err := readHead(out.Name(), 1<<22)
	if err != nil {
		return nil, err
	}
	if exit.Stopped {
		return nil, fmt.Errorf("no answer within %v: %s", limit, lastLine(text))
	}
	if i := bytes.LastIndex(text, []byte("\n"+probeMark)); i >= 0 {
		line, _, _ := bytes.Cut(text[i+1+len(probeMark):], []byte("\n"))
		return line, nil
	}
	return nil, fmt.Errorf("it ended with %v and no answer: %s", exit, lastLine(text))
}

var errSlow = errors.New("time limit of the probe")

func readHead(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// lastLine is the last line of a text that is not blank.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if s := strings.TrimSpace(lines[len(lines)-1]); s != "" {
		return s
	}
	return "it printed nothing"
}
