package shipped

import (
	"embed"
	"errors"
	"fmt"
	"slices"
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

// Names returns the names of all shipped studies, sorted.
func Names() []string {
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

// List returns all shipped studies, sorted by name.
func List() []Study {
	var all []Study
	for _, name := range Names() {
		s, err := Open(name)
		if err != nil {
			panic("shipped: " + err.Error()) // embedded, so that only a broken build gets here
		}
		all = append(all, s)
	}
	return all
}

// Open finds a shipped study by name. The error, an ErrUnknown, names the nearest one.
func Open(name string) (Study, error) {
	if names := Names(); !slices.Contains(names, name) {
		if near := studies.Nearest(name, names); near != "" {
			return Study{}, fmt.Errorf("open %q: %w, did you mean %q?", name, ErrUnknown, near)
		}
		return Study{}, fmt.Errorf("open %q: %w, there are %s", name, ErrUnknown, strings.Join(names, ", "))
	}
	file, err := files.ReadFile(name + "/study.yaml")
	if err != nil {
		return Study{}, fmt.Errorf("open shipped study %s: %w", name, err)
	}
	readme, err := files.ReadFile(name + "/README.md")
	if err != nil {
		return Study{}, fmt.Errorf("open shipped study %s: %w", name, err)
	}
	return Study{Name: name, Title: title(readme), File: file, Readme: readme}, nil
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
