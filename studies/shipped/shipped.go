package shipped

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
)

//go:embed */*.yaml */README.md
var files embed.FS

// ErrUnknown is returned for a name that no shipped study has.
var ErrUnknown = errors.New("no such shipped study")

// ErrBackend is returned by Study.For for a backend that a study has no file for.
var ErrBackend = errors.New("no study file for this backend")

// YourData stands in study files for a data set that only the user has. A study that still has it is not run.
const YourData = "<path of your data.yaml>"

// fileOf names the study file of each backend, in the order of Study.Backends.
var fileOf = []struct{ backend, file string }{
	{studies.BackendNative, "study.yaml"},
	{studies.BackendYOLOv9, "yolov9.yaml"},
}

// Study is one shipped study. It asks one question, of one trainer or of several.
type Study struct {
	Name   string
	Title  string            // first heading of the README, without the name
	Files  map[string][]byte // study file by backend
	Only   string            // why it has no file for the other backend; "" if it has one for each
	Readme []byte            // README.md
}

// Backends are the trainers that the study has a file for.
func (s Study) Backends() []string {
	var all []string
	for _, f := range fileOf {
		if _, ok := s.Files[f.backend]; ok {
			all = append(all, f.backend)
		}
	}
	return all
}

// For is the study file for a backend. The error, an ErrBackend, says which there are, and why.
func (s Study) For(backend string) ([]byte, error) {
	if file, ok := s.Files[backend]; ok {
		return file, nil
	}
	err := fmt.Errorf("open study %s for backend %q: %w, there is one for %s", s.Name, backend, ErrBackend, strings.Join(s.Backends(), " and "))
	if s.Only != "" {
		err = fmt.Errorf("%w only: %s", err, s.Only)
	}
	return nil, err
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
	s := Study{Name: name, Files: map[string][]byte{}}
	for _, f := range fileOf {
		text, err := files.ReadFile(name + "/" + f.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Study{}, fmt.Errorf("open shipped study %s: %w", name, err)
		}
		s.Files[f.backend] = text
	}
	readme, err := files.ReadFile(name + "/README.md")
	if err != nil {
		return Study{}, fmt.Errorf("open shipped study %s: %w", name, err)
	}
	s.Readme, s.Title = readme, title(readme)
	_, why, _ := strings.Cut(Section(readme, "Backends"), " only: ")
	s.Only = strings.TrimSuffix(why, ".")
	return s, nil
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

// Section is the paragraph of a README that begins with "**name.**", on one line and without that beginning; "" if there is none.
func Section(readme []byte, name string) string {
	for paragraph := range strings.SplitSeq(string(readme), "\n\n") {
		if text, ok := strings.CutPrefix(paragraph, "**"+name+".**"); ok {
			return strings.Join(strings.Fields(text), " ")
		}
	}
	return ""
}
