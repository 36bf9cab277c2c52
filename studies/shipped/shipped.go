package shipped

import (
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
)

//go:embed */study.yaml */README.md
var files embed.FS

// ErrUnknown is returned for a name that no shipped study has.
var ErrUnknown = errors.New("no such shipped study")

// Study is one shipped study.
type Study struct {
	Name   string
	Title  string // first heading of the README, without the name
	File   []byte // study.yaml
	Readme []byte // README.md
}

// List returns the names of all shipped studies, sorted.
func List() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("shipped: read embedded folder: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Open finds a shipped study by name. The error, an ErrUnknown, names the nearest one.
func Open(name string) (Study, error) {
	for _, n := range List() {
		if n != name {
			continue
		}
		file, err := files.ReadFile(n + "/study.yaml")
		if err != nil {
			return Study{}, fmt.Errorf("open shipped study %s: %w", n, err)
		}
		readme, err := files.ReadFile(n + "/README.md")
		if err != nil {
			return Study{}, fmt.Errorf("open shipped study %s: %w", n, err)
		}
		return Study{Name: n, Title: title(readme), File: file, Readme: readme}, nil
	}
	if near := studies.Nearest(name, List()); near != "" {
		return Study{}, fmt.Errorf("open %q: %w, did you mean %q?", name, ErrUnknown, near)
	}
	return Study{}, fmt.Errorf("open %q: %w, there are %s", name, ErrUnknown, strings.Join(List(), ", "))
}

// title is the text after the colon of the first heading: "# quickstart: which ...".
func title(readme []byte) string {
	line, _, _ := strings.Cut(string(readme), "\n")
	_, text, ok := strings.Cut(line, ": ")
	if !ok {
		return strings.TrimLeft(line, "# ")
	}
	return strings.TrimSpace(text)
}
