package preflight

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// RoomOptions say what a study will write and hold in memory.
type RoomOptions struct {
	Model     Model
	Optimizer string // SGD, Adam, AdamW, LION; "": SGD
	Batch     int    // over all GPUs of a trial; 0: 16
	ImageSize int    // 0: 640
	GPUs      int    // of one trial, at least 1
	Cache     string // "", "ram" or "disk": --cache
	Kept      int    // trials whose checkpoints stay on disk
	Parallel  int    // trials at the same time, at least 1
	PerTrial  int    // checkpoints that a finished trial keeps, beside best and last; such as those of save_period
	Out       string // folder of the runs; its nearest existing parent is looked at
	Data      string // folder of the images: --cache disk writes there; "": not looked at
}

// Need is an estimate of what a study takes.
type Need struct {
	CheckpointBytes int64 `json:"checkpoint_bytes"` // of one that can be resumed
	StrippedBytes   int64 `json:"stripped_bytes"`   // of one at the end of training
	RunBytes        int64 `json:"run_bytes"`        // of the whole study, in the folder of the runs
	FreeBytes       int64 `json:"free_bytes"`       // there
	CacheDiskBytes  int64 `json:"cache_disk_bytes"` // of --cache disk, beside the images
	CacheRAMBytes   int64 `json:"cache_ram_bytes"`  // of --cache ram, for one trial
	GPUBytes        int64 `json:"gpu_bytes"`        // of one trial, on each of its GPUs: a rule of thumb
}

// states is how many bytes the optimisers keep of each parameter, in fp32. AdamW is that of the official code, with
// AMSGrad.
var states = map[string]int64{"SGD": 4, "Adam": 8, "AdamW": 12, "LION": 4}

// Sizes that no model has a part in.
const (
	checkpointRest = 2 << 20  // pickled code, indices
	runRest        = 4 << 20  // hyper-parameters, results, event file, log, a few plots
	cudaContext    = 1 << 30  // libraries, work space of convolutions
	diskMargin     = 1 << 30  // left free
	lossPerPicture = 50 << 20 // assigner and losses, at 640 pixels
)

// Estimate says what a study needs, with what was counted of its data.
func Estimate(sum Summary, o RoomOptions) Need {
	o = o.filled()
	var n Need
	if p := int64(o.Model.Params); p > 0 {
		n.CheckpointBytes = p*(2+2+states[o.Optimizer]) + checkpointRest // model and average in fp16, optimiser
		n.StrippedBytes = p*2 + checkpointRest
		running := 3 * n.CheckpointBytes // last, best, and the copy that makes a stop safe
		finished := 2*n.StrippedBytes + int64(o.PerTrial)*n.CheckpointBytes
		if o.Model.Kind == Single {
			finished += 2 * n.CheckpointBytes // train.py leaves the whole ones beside the stripped
		}
		n.RunBytes = int64(o.Kept)*(finished+runRest) + int64(o.Parallel)*(running+runRest)
		n.GPUBytes = gpuBytes(o)
	}
	for _, s := range []string{Train, Val} {
		switch o.Cache {
		case "ram":
			n.CacheRAMBytes += sum.Splits[s].RAM
		case "disk":
			n.CacheDiskBytes += sum.Splits[s].Raw
		}
	}
	return n
}

func (o RoomOptions) filled() RoomOptions {
	o.Batch, o.GPUs, o.Parallel = max(o.Batch, 0), max(o.GPUs, 1), max(o.Parallel, 1)
	if o.Batch == 0 {
		o.Batch = 16
	}
	if o.ImageSize <= 0 {
		o.ImageSize = 640
	}
	if _, ok := states[o.Optimizer]; !ok {
		o.Optimizer = "SGD"
	}
	return o
}

// gpuBytes is a rule of thumb: weights, gradients, average and optimiser in fp32, what the layers keep of every
// pixel in half precision, the loss, and CUDA itself. It was not measured on a GPU.
func gpuBytes(o RoomOptions) int64 {
	s, ok := sizes[o.Model.Name]
	if !ok {
		return 0
	}
	pictures := float64((o.Batch + o.GPUs - 1) / o.GPUs)
	area := float64(o.ImageSize) * float64(o.ImageSize)
	weights := int64(s.params) * (4 + 4 + 4 + states[o.Optimizer])
	return weights + int64(pictures*(area*s.bytes/2+lossPerPicture*area/(640*640))) + cudaContext
}

// Room compares what a study needs with what the machine has: disks, memory, and the GPUs that torch saw (nil: none
// were asked for).
func Room(sum Summary, o RoomOptions, gpus []Device) (Need, Faults) {
	o = o.filled()
	n := Estimate(sum, o)
	var all Faults
	all = append(all, n.judgeOut(o)...)
	all = append(all, n.judgeData(o)...)
	all = append(all, n.judgeRAM(o)...)
	return n, append(all, n.judgeGPU(o, gpus)...)
}

// judgeOut looks at the disk of the runs.
func (n *Need) judgeOut(o RoomOptions) Faults {
	if o.Out == "" {
		return nil
	}
	dir := nearest(o.Out)
	var all Faults
	if err := writable(dir); err != nil {
		all = append(all, one(Error, AreaDisk, "out-folder", dir, "choose another folder with --out, or give the user write permission", "the folder of the runs cannot be written: %v", cause(err)))
	}
	free, err := freeBytes(dir)
	if err != nil {
		return append(all, one(Note, AreaDisk, "disk-unknown", dir, "", "free space cannot be told: %v", cause(err)))
	}
	n.FreeBytes = free
	need := n.RunBytes
	if n.CacheDiskBytes > 0 && sameDisk(dir, nearest(o.Data)) {
		need += n.CacheDiskBytes
	}
	text := fmt.Sprintf("the study writes about %s (%d trials that are kept, %d at the same time, %s for each checkpoint that can be resumed)",
		bytesText(need), o.Kept, o.Parallel, bytesText(n.CheckpointBytes))
	switch {
	case need > free:
		all = append(all, one(Error, AreaDisk, "disk-full", dir, "free some, keep fewer checkpoints, or choose another disk with --out", "%s, and %s are free", text, bytesText(free)))
	case need+diskMargin > free:
		all = append(all, one(Warning, AreaDisk, "disk-tight", dir, "free some", "%s, and only %s are free", text, bytesText(free)))
	}
	return all
}

// judgeData looks at the disk of the images, for --cache disk.
func (n *Need) judgeData(o RoomOptions) Faults {
	if n.CacheDiskBytes == 0 || o.Data == "" {
		return nil
	}
	dir := nearest(o.Data)
	if err := writable(dir); err != nil {
		return Faults{one(Error, AreaDisk, "cache-disk-folder", dir, "use cache: ram or none, or copy the data", "--cache disk writes .npy files beside the images, and the folder cannot be written: %v", cause(err))}
	}
	free, err := freeBytes(dir)
	if err != nil || o.Out != "" && sameDisk(dir, nearest(o.Out)) {
		return nil // counted there
	}
	if n.CacheDiskBytes > free {
		return Faults{one(Error, AreaDisk, "cache-disk-full", dir, "use cache: ram or none, or free some", "--cache disk writes about %s of .npy files beside the images, and %s are free", bytesText(n.CacheDiskBytes), bytesText(free))}
	}
	return nil
}

// judgeRAM looks at the memory of --cache ram. Each trial keeps its own; the official code goes on without a cache,
// with other random numbers, when a tenth more than it needs is not free.
func (n *Need) judgeRAM(o RoomOptions) Faults {
	if n.CacheRAMBytes == 0 {
		return nil
	}
	free := availableRAM()
	need := n.CacheRAMBytes * int64(o.Parallel)
	if free == 0 || need+need/10 < free {
		return nil
	}
	return Faults{one(Warning, AreaMemory, "cache-ram", "", "run fewer trials at the same time, use a smaller image size, or leave the cache out",
		"--cache ram takes about %s for each of %d trials at the same time, and %s of memory are free: the official code goes on without the cache where it finds too little, and then draws other random numbers", bytesText(n.CacheRAMBytes), o.Parallel, bytesText(free))}
}

// judgeGPU compares the rule of thumb with the smallest GPU.
func (n *Need) judgeGPU(o RoomOptions, gpus []Device) Faults {
	if len(gpus) == 0 {
		return nil
	}
	var all Faults
	if o.GPUs > len(gpus) {
		all = append(all, one(Error, AreaGPU, "gpu-count", "", "set trainer.gpus to what is there", "a trial wants %d GPUs, and torch sees %d", o.GPUs, len(gpus)))
	}
	for i, g := range gpus {
		if n.GPUBytes <= g.Memory {
			continue
		}
		all = append(all, one(Warning, AreaGPU, "gpu-memory", fmt.Sprintf("cuda:%d", i), "use a smaller batch, image size or model, or more GPUs for each trial",
			"by a rule of thumb %s with batch %d at %d pixels takes %s on each GPU, and %s has %s", o.Model.Name, o.Batch, o.ImageSize, bytesText(n.GPUBytes), g.Name, bytesText(g.Memory)))
		break
	}
	for i, g := range gpus {
		if g.Free > 0 && g.Free < g.Memory*9/10 {
			all = append(all, one(Note, AreaGPU, "gpu-busy", fmt.Sprintf("cuda:%d", i), "", "%s has %s of its %s free: something else runs there", g.Name, bytesText(g.Free), bytesText(g.Memory)))
		}
	}
	return all
}

// nearest is a folder, or the nearest one above it that exists.
func nearest(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "."
	}
	for !isDir(dir) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
	}
	return dir
}

// availableRAM is the memory that a program can still have, or 0 where that cannot be told.
func availableRAM() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if rest, ok := strings.CutPrefix(scan.Text(), "MemAvailable:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20)
}
