package standin

import (
	"fmt"
	"os"
	"path/filepath"
)

// probed is what the stand-in answers when it is asked for its packages.
const probed = `{}`

// Checkout makes a folder that looks like a checkout of the official code: the names of its files, a head in each
// model, and nothing else.
func Checkout(dir string) error {
	files := map[string]string{
		"data/hyps/hyp.scratch-high.yaml": "lr0: 0.01\n",
	}
	for _, kind := range []string{"", "_dual", "_triple"} {
		for _, name := range []string{"train", "val"} {
			files[name+kind+".py"] = "# stand-in\n"
		}
		files["utils/loss_tal"+kind+".py"] = "# stand-in\n"
	}
	for _, name := range []string{"dataloaders", "augmentations", "torch_utils", "general", "metrics"} {
		files["utils/"+name+".py"] = "# stand-in\n"
	}
	for _, name := range []string{"yolo", "common", "experimental"} {
		files["models/"+name+".py"] = "# stand-in\n"
	}
	for model, head := range map[string]string{"gelan-t": "DDetect", "gelan-s": "DDetect", "yolov9-t": "DualDDetect", "yolov9-s": "DualDDetect", "yolov9-cf": "TripleDDetect"} {
		files["models/detect/"+model+".yaml"] = fmt.Sprintf("backbone:\n  [[-1, 1, Conv, [64, 3, 2]]]\nhead:\n  [[[15, 18, 21], 1, %s, [nc]]]\n", head)
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}
