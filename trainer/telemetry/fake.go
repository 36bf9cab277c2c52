package telemetry

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Names of environment variables of the fake mode.
const (
	// EnvFake describes the fake devices: "2xA100-40GB,1xRTX4090", the path of a JSON file, or "none".
	EnvFake = "MAPSWEEP_FAKE_GPUS"
	// EnvFakeMiB is for programs that play a trainer: a process with this variable in its environment counts as
	// holding so much memory on the fake devices that its CUDA_VISIBLE_DEVICES names.
	EnvFakeMiB = "MAPSWEEP_FAKE_GPU_MIB"
)

// idleMiB is what a GPU without work has in use, about.
const idleMiB = 300

// fakeCalls counts the listings of each file by this process: scripted values go on by one with each.
var fakeCalls sync.Map

// fakeFile is the JSON file: every list is one value for each listing, the last one stays.
type fakeFile struct {
	GPUs []struct {
		Name        string        `json:"name"`
		MemoryMiB   int64         `json:"memory_mib"`
		UsedMiB     []int64       `json:"used_mib"`
		Utilisation []float64     `json:"utilisation"`
		Processes   []fakeProcess `json:"processes"`
	} `json:"gpus"`
}

type fakeProcess struct {
	PID int   `json:"pid"`
	MiB int64 `json:"mib"`
}

func fakeSetting() (string, bool) {
	text := strings.TrimSpace(os.Getenv(EnvFake))
	return text, text != ""
}

// fakeGPUs makes devices from the setting, with the memory that processes claim to hold.
func fakeGPUs(text string) ([]GPU, error) {
	if text == "none" {
		return nil, fmt.Errorf("%w: %s says none", ErrNone, EnvFake)
	}
	var gpus []GPU
	var err error
	if strings.HasSuffix(text, ".json") {
		gpus, err = fakeFromFile(text)
	} else {
		gpus, err = fakeFromList(text)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", EnvFake, err)
	}
	for _, p := range fakeHolders() {
		for i := range gpus {
			if g := &gpus[i]; p.sees(*g) {
				g.FreeMiB = max(0, g.FreeMiB-p.mib)
				g.Processes = append(g.Processes, Process{PID: p.pid, MiB: p.mib})
			}
		}
	}
	for i := range gpus {
		if g := &gpus[i]; g.Utilisation != g.Utilisation { // nothing scripted
			g.Utilisation = 0
			if len(g.Processes) > 0 {
				g.Utilisation = 0.5
			}
		}
	}
	return gpus, nil
}

func newFake(i int, name string, total int64) GPU {
	return GPU{Index: i, UUID: fmt.Sprintf("GPU-fake-%d", i), Name: name, TotalMiB: total,
		FreeMiB: max(0, total-idleMiB), Utilisation: unknown(), Fake: true}
}

// memories of cards by the names that the short form takes, in GiB.
var memories = map[string]int64{"A100": 40, "V100": 32, "RTX4090": 24, "RTX3090": 24, "RTX5090": 32, "H100": 80, "H200": 141,
	"T4": 16, "L4": 24, "A10": 24, "L40S": 48, "RTX3060": 12}

var (
	fakeItem   = regexp.MustCompile(`^(?:(\d+)x)?([A-Za-z][A-Za-z0-9 _.-]*)$`)
	fakeMemory = regexp.MustCompile(`(?i)-(\d+)G(?:i?B)?$`)
)

// maxFake bounds the devices: more is a slip.
const maxFake = 64

// fakeFromList reads 2xA100-40GB,1xRTX4090.
func fakeFromList(text string) ([]GPU, error) {
	var gpus []GPU
	for item := range strings.SplitSeq(text, ",") {
		m := fakeItem.FindStringSubmatch(strings.TrimSpace(item))
		if m == nil {
			return nil, fmt.Errorf("%q is no list of devices: write for instance 2xA100-40GB,1xRTX4090, none, or the path of a .json file", text)
		}
		n := 1
		if m[1] != "" {
			n, _ = strconv.Atoi(m[1]) // too large: refused below
		}
		if n < 1 || n > maxFake || len(gpus)+n > maxFake {
			return nil, fmt.Errorf("%q: give from 1 to %d devices", text, maxFake)
		}
		gib := memories[m[2]]
		if s := fakeMemory.FindStringSubmatch(m[2]); s != nil {
			gib, _ = strconv.ParseInt(s[1], 10, 64)
		}
		if gib < 1 || gib > 10000 {
			return nil, fmt.Errorf("%q: nobody knows how much memory a %s has: write it behind the name, %s-24GB; known are %s",
				text, m[2], m[2], strings.Join(slices.Sorted(maps.Keys(memories)), ", "))
		}
		for range n {
			gpus = append(gpus, newFake(len(gpus), m[2], gib<<10))
		}
	}
	return gpus, nil
}

// fakeFromFile reads the JSON file at every listing, so that a test can change it while trials run.
func fakeFromFile(path string) ([]GPU, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f fakeFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(f.GPUs) > maxFake {
		return nil, fmt.Errorf("%s: at most %d devices", path, maxFake)
	}
	counter, _ := fakeCalls.LoadOrStore(path, new(atomic.Int64))
	call := int(counter.(*atomic.Int64).Add(1) - 1)
	var gpus []GPU
	for i, d := range f.GPUs {
		if d.MemoryMiB < 1 {
			return nil, fmt.Errorf("%s: device %d has no memory_mib", path, i)
		}
		g := newFake(i, d.Name, d.MemoryMiB)
		if g.Name == "" {
			g.Name = "GPU"
		}
		if n := len(d.UsedMiB); n > 0 {
			g.FreeMiB = max(0, g.TotalMiB-d.UsedMiB[min(call, n-1)])
		}
		if n := len(d.Utilisation); n > 0 {
			g.Utilisation = d.Utilisation[min(call, n-1)]
		}
		for _, p := range d.Processes {
			g.Processes = append(g.Processes, Process(p))
		}
		gpus = append(gpus, g)
	}
	if len(gpus) == 0 {
		return nil, fmt.Errorf("%w: %s lists no device", ErrNone, path)
	}
	return gpus, nil
}

// holder is a process that plays a trainer.
type holder struct {
	pid     int
	mib     int64
	visible []string // items of its CUDA_VISIBLE_DEVICES
}

func (h holder) sees(g GPU) bool {
	return slices.Contains(h.visible, strconv.Itoa(g.Index)) || slices.Contains(h.visible, g.UUID)
}

// machineVars set two fake machines apart: what holds memory on one is not seen on the other.
var machineVars = []string{EnvFake, "MAPSWEEP_RUNTIME_DIR", "TMPDIR"}

// fakeHolders finds the processes that claim memory on this fake machine. Children inherit the claim; it counts once, for the topmost.
func fakeHolders() []holder {
	claims := map[int]holder{}
	parents := map[int]int{}
	for _, p := range processes() {
		env := environment(p.pid)
		mib, err := strconv.ParseInt(env[EnvFakeMiB], 10, 64)
		if err != nil || mib <= 0 || env["CUDA_VISIBLE_DEVICES"] == "" {
			continue
		}
		if slices.ContainsFunc(machineVars, func(name string) bool { return env[name] != os.Getenv(name) }) {
			continue
		}
		claims[p.pid] = holder{p.pid, mib, strings.Split(env["CUDA_VISIBLE_DEVICES"], ",")}
		parents[p.pid] = p.parent
	}
	var top []holder
	for _, pid := range slices.Sorted(maps.Keys(claims)) {
		if _, inherited := claims[parents[pid]]; !inherited {
			top = append(top, claims[pid])
		}
	}
	return top
}
