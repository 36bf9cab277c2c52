package studies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *checker) trainer() {
	t := c.spec.Trainer
	needs := func(missing bool, key, hint string) {
		if missing {
			c.add("trainer."+key, hint, "trainer lacks the key %q, which backend %s needs", key, t.Backend)
		}
	}
	switch t.Backend {
	case BackendNative:
		needs(t.Model == "", "model", "for instance gelan-n")
		needs(len(t.Data) == 0, "data", "for instance builtin:digits, or the path of a data.yaml")
		needs(t.Epochs == 0, "epochs", "for instance 20")
		if len(t.Command) > 0 {
			c.add("trainer.command", "for your own program write backend: command", "trainer.command is not read by backend native")
		}
		if len(t.Env) > 0 {
			c.add("trainer.env", "for your own program write backend: command", "trainer.env is not read by backend native")
		}
	case BackendCommand:
		needs(len(t.Command) == 0, "command", "for instance [python, train.py]")
		c.arguments(t)
		c.metrics(t.Metrics)
		c.checkpoint(t.Checkpoint)
	case BackendYOLOv9:
		needs(t.Model == "", "model", "for instance gelan-t or yolov9-s")
		needs(len(t.Data) == 0, "data", "the path of a data.yaml")
		needs(t.Epochs == 0, "epochs", "for instance 100")
		if t.ImageSize%32 != 0 {
			c.add("trainer.image_size", fmt.Sprintf("the nearest is %d", max(32, (t.ImageSize+16)/32*32)),
				"trainer.image_size must be a multiple of 32, not %d", t.ImageSize)
		}
		if len(t.Command) > 0 {
			c.add("trainer.command", "for your own program write backend: command", "trainer.command is not read by backend yolov9")
		}
	}
	if t.Backend != "" && t.Backend != BackendYOLOv9 {
		for key, set := range map[string]bool{"checkout": t.Checkout != "", "python": t.Python != "", "coco": t.COCO} {
			if set {
				c.add("trainer."+key, "", "trainer.%s is read by backend yolov9 only", key)
			}
		}
	}
	if t.Backend != "" && t.Backend != BackendNative && t.Weights != "" {
		hint := ""
		if t.Backend == BackendYOLOv9 {
			hint = "write baseline: {weights: FILE.pt}"
		}
		c.add("trainer.weights", hint, "trainer.weights is read by backend native only")
	}
	if t.Backend != "" && t.Backend != BackendNative {
		for key, set := range map[string]bool{"cache": t.Cache != "", "loaders": t.Loaders != nil, "threads": t.Threads != 0, "precision": t.Precision != "", "convolution": t.Convolution != ""} {
			if set {
				c.add("trainer."+key, "", "trainer.%s is read by backend native only", key)
			}
		}
	}
	if _, err := t.CacheBytes(); err != nil {
		c.add("trainer.cache", "ram, none, or for instance 2GiB", "trainer.cache %v", err)
	}
	if n := t.Loaders; n != nil && (*n < 0 || *n > 64) {
		c.add("trainer.loaders", "0 to 64", "trainer.loaders cannot be %d", *n)
	}
	if t.Threads < 0 || t.Threads > 256 {
		c.add("trainer.threads", "1 to 256, or leave it out for the trial's cores", "trainer.threads cannot be %d", t.Threads)
	}
	if t.Backend != "" && t.Backend != BackendCommand {
		for key, set := range map[string]bool{"arguments": t.Arguments != nil, "metrics": t.Metrics != nil, "checkpoint": t.Checkpoint != nil} {
			if set {
				c.add("trainer."+key, "for your own program write backend: command", "trainer.%s is read by backend command only", key)
			}
		}
	}
	for i, d := range t.Data {
		if strings.TrimSpace(d) == "" {
			c.add(index("trainer.data", i), "", "a data set has no name")
		} else if slices.Contains(t.Data[:i], d) {
			c.add(index("trainer.data", i), "", "data set %s is there twice", d)
		}
	}
	if t.Convolution == "fastest" && (t.Device == "" || t.Device == "cpu") {
		c.add("trainer.convolution", "set trainer.device: cuda, or leave it out", "trainer.convolution is fastest, which chooses between kernels of a GPU, and native computes on the cpu")
	}
	if t.GPUs > 0 && t.Device == "cpu" {
		c.add("trainer.gpus", "leave one of them out", "trainer.gpus is %d, and trainer.device says cpu", t.GPUs)
	}
	if native := t.Backend == BackendNative; native && t.GPUs > 1 && t.Batch%t.GPUs != 0 {
		c.add("trainer.batch", fmt.Sprintf("use one that %d divides", t.GPUs), "trainer.batch is %d, of which each of %d GPUs takes an equal share", t.Batch, t.GPUs)
	} else if native && t.GPUs > 0 && t.Device == "" {
		c.add("trainer.gpus", "set trainer.device: cuda, too", "trainer.gpus is %d, and where trainer.device is left out native computes on the cpu", t.GPUs)
	}
	if t.Timeout != "" {
		if d, err := time.ParseDuration(t.Timeout); err != nil || d <= 0 {
			c.add("trainer.timeout", "for instance 90s, 45m or 2h30m", "trainer.timeout is no duration: %q", t.Timeout)
		}
	}
	switch d := t.Device; {
	case d == "auto", d == "cpu", d == "cuda", d == "":
	case !isDeviceList(d):
		c.add("trainer.device", "auto, cpu, cuda, cuda:0, or several as cuda:0,2", "trainer.device cannot be %q", d)
	}
}

// isDeviceList says that a text names GPUs: cuda:0, or cuda:0,2 with no number twice.
func isDeviceList(text string) bool {
	list, ok := strings.CutPrefix(text, "cuda:")
	seen := map[uint64]bool{}
	for item := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(item, 10, 8)
		if err != nil || seen[n] {
			return false
		}
		seen[n] = true
	}
	return ok
}
