package yolov9

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// scriptOf is the script that fits a model.
func (b *Backend) scriptOf(model string) (script, path string, err error) {
	path = model
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.cfg.Checkout, "models", "detect", strings.TrimSuffix(model, ".yaml")+".yaml")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("read model: %w", err)
	}
	switch text := string(data); {
	case strings.Contains(text, "Triple"):
		return scriptTriple, path, nil
	case strings.Contains(text, "Dual"):
		return scriptDual, path, nil
	}
	return scriptSingle, path, nil
}
