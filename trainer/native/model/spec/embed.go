package spec

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed models/*.yaml
var models embed.FS

// names of the embedded models, from small to large.
var names = []string{
	"gelan-n", "gelan-t", "gelan-s", "gelan-m", "gelan-c", "gelan-e",
	"yolov9-t", "yolov9-s", "yolov9-m", "yolov9-c", "yolov9-e",
}

// Names lists the models that are built in.
func Names() []string { return append([]string(nil), names...) }

// ErrUnknown is the error of a name that no model has.
var ErrUnknown = errors.New("unknown model")

// IsPath says whether a model is named by the path of a file: it ends in .yaml or .yml, or has a slash.
func IsPath(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml" || strings.ContainsAny(name, `/\`)
}

// Open reads a model by the name of a built-in one or the path of a file.
func Open(name string) (*File, error) {
	if IsPath(name) {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read model: %w", err)
		}
		return Parse(name, src)
	}
	src, err := fs.ReadFile(models, "models/"+name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("%w %q: %s; or give the path of a model file", ErrUnknown, name, known(name, names))
	}
	return Parse(name+".yaml", src)
}
