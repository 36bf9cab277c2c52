package yolov9

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed launcher/start.py launcher/mapsweep_launcher/*.py
var launcher embed.FS

// launcherDir is where the launcher is written to, inside of a trial's directory.
const launcherDir = "launcher"

// writeLauncher puts the launcher into dir and returns the path of its start file.
func writeLauncher(dir string) (string, error) {
	err := fs.WalkDir(launcher, launcherDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if d.IsDir() {
			return os.MkdirAll(to, 0o777)
		}
		data, err := launcher.ReadFile(path)
		if err != nil {
			return err
		}
		if old, err := os.ReadFile(to); err == nil && string(old) == string(data) {
			return nil
		}
		return os.WriteFile(to, data, 0o666)
	})
	if err != nil {
		return "", fmt.Errorf("write launcher: %w", err)
	}
	return filepath.Join(dir, launcherDir, "start.py"), nil
}

// plan is what the launcher is told, see launcher/start.py.
type plan struct {
	Mode        string            `json:"mode"`
	Checkout    string            `json:"checkout"`
	Script      string            `json:"script"` // train.py, train_dual.py, train_triple.py
	Argv        []string          `json:"argv,omitempty"`
	Env         map[string]string `json:"env,omitempty"`
	ConfigDir   string            `json:"config_dir"`
	Levers      map[string]any    `json:"levers,omitempty"`
	Requested   map[string]any    `json:"requested,omitempty"`
	Overwritten []string          `json:"overwritten,omitempty"` // keys that the script is known to overwrite
	Resume      *resumption       `json:"resume,omitempty"`
	CPURanks    bool              `json:"cpu_ranks,omitempty"`

	Out   string `json:"out,omitempty"`   // modes trace, cache, export
	Steps int    `json:"steps,omitempty"` // mode trace
	Runs  []plan `json:"runs,omitempty"`
	Log   string `json:"log,omitempty"`

	Data      string `json:"data,omitempty"` // modes cache, export
	Weights   string `json:"weights,omitempty"`
	Batch     int    `json:"batch,omitempty"`
	ImageSize int    `json:"imgsz,omitempty"`
	Device    string `json:"device"`
	Workers   int    `json:"workers"`
	SingleCls bool   `json:"single_cls,omitempty"`
}

// resumption says from which attempt a run goes on.
type resumption struct {
	From    string         `json:"from"` // folder of the earlier attempt
	To      string         `json:"to"`   // folder of the new one
	Epochs  int            `json:"epochs"`
	Changed map[string]any `json:"changed,omitempty"` // options that are others now
}

// write stores a plan for the launcher.
func (p plan) write(path string) error {
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("encode plan of the launcher: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o666); err != nil {
		return fmt.Errorf("write plan of the launcher: %w", err)
	}
	return nil
}
