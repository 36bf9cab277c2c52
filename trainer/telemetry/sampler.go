package telemetry

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Metrics of an epoch. Fractions are 0 to 1.
const (
	MetricGPUMemory    = "gpu/memory"      // peak of used / total memory of the trial's devices, whoever uses it
	MetricGPUMemoryMiB = "gpu/memory-mib"  // peak of what the trial itself holds on one of its devices
	MetricGPUUse       = "gpu/utilisation" // mean over samples and devices
	MetricCPUUse       = "cpu/utilisation" // processor time / time / cores of the lease; above 1 if it uses more than those
	MetricHostMiB      = "host/memory-mib" // peak of the resident memory of all its processes; shared pages count in each
	MetricTime         = "time/epoch"      // seconds since the epoch before, or since the trial began
	MetricTrain        = "time/train"      // sum of those up to this epoch, over all starts of the trial; the engine adds them up
)

// Names lists all of them.
var Names = []string{MetricGPUMemory, MetricGPUMemoryMiB, MetricGPUUse, MetricCPUUse, MetricHostMiB, MetricTime, MetricTrain}

// Is says that a metric comes from here and not from a trainer.
func Is(metric string) bool { return slices.Contains(Names, metric) }

// Every is the usual time between samples.
const Every = time.Second

// Sampler looks at the machine while trials run, once for all of them. It rests while nothing is watched.
type Sampler struct {
	gpus  Source
	every time.Duration
	now   func() time.Time

	mu      sync.Mutex
	watches map[*Watch]bool
	stop    chan struct{} // of the goroutine, nil while nothing is watched
	last    time.Time
}

// NewSampler samples the devices of a source (nil: GPUs) so often (0: Every).
func NewSampler(gpus Source, every time.Duration) *Sampler {
	if gpus == nil {
		gpus = GPUs
	}
	if every <= 0 {
		every = Every
	}
	return &Sampler{gpus: gpus, every: every, now: time.Now, watches: map[*Watch]bool{}}
}

// Target is a trial: where it runs, and how its processes are found.
type Target struct {
	Devices []string // as leased: cuda:0
	Cores   int      // as leased
	Dir     string   // its directory: its processes have it in EnvDir
	PIDs    []int    // further processes that, with their descendants, belong to it
}

// Watch gathers what one trial uses.
type Watch struct {
	s      *Sampler
	target Target
	dir    string
	gpus   []int

	// Guarded by s.mu.
	base  map[int]int64 // MiB in use on each device when the trial began
	since time.Time     // beginning of the window
	win   window
	cpu   map[string]time.Duration // processor time of each process at the latest sample
	seen  time.Time                // of that sample
	peak  int64
	owns  int // samples in which it was known what the trial holds
}

// window is what was seen since the last Take.
type window struct {
	gpuMemory, gpuMiB float64
	gpuUse            float64
	gpuUses           int
	cpu, cpuTime      time.Duration
	hostMiB           float64
	gpu, own, host    bool // whether there is such a sample
}

// Watch begins to watch a trial; Close ends it.
func (s *Sampler) Watch(t Target) *Watch {
	w := &Watch{s: s, target: t, base: map[int]int64{}, cpu: map[string]time.Duration{}, since: s.now()}
	if abs, err := filepath.Abs(t.Dir); err == nil && t.Dir != "" {
		w.dir = abs
	}
	for _, d := range t.Devices {
		if n, ok := index(d); ok {
			w.gpus = append(w.gpus, n)
		}
	}
	if len(w.gpus) > 0 {
		if gpus, err := s.gpus(); err == nil {
			for _, g := range gpus {
				w.base[g.Index] = g.UsedMiB()
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.seen = w.since
	s.watches[w] = true
	if s.stop == nil {
		s.stop = make(chan struct{})
		go s.run(s.stop)
	}
	return w
}

func (s *Sampler) run(stop <-chan struct{}) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			s.mu.Lock()
			s.sample()
			s.mu.Unlock()
		}
	}
}

// sample looks once at everything that is watched. The caller holds s.mu.
func (s *Sampler) sample() {
	now := s.now()
	s.last = now
	var gpus []GPU
	for w := range s.watches {
		if len(w.gpus) > 0 {
			if list, err := s.gpus(); err == nil { // a driver that stopped answering: no sample
				gpus = list
			}
			break
		}
	}
	t := newTree(processes())
	trials := t.ofTrials()
	for w := range s.watches {
		pids := slices.Clone(trials[w.dir])
		for _, root := range w.target.PIDs {
			pids = append(pids, t.below(root)...)
		}
		w.host(now, t, pids)
		w.devices(gpus, pids, s.shared(w))
	}
}

// shared says which devices of a watch another one has, too.
func (s *Sampler) shared(w *Watch) map[int]bool {
	shared := map[int]bool{}
	for o := range s.watches {
		if o == w {
			continue
		}
		for _, n := range o.gpus {
			shared[n] = true
		}
	}
	return shared
}

// host adds a sample of the trial's processes.
func (w *Watch) host(now time.Time, t tree, pids []int) {
	rss := 0.0
	cpu := map[string]time.Duration{}
	var used time.Duration
	for _, pid := range pids {
		p := t.byPID[pid]
		key := p.start + "/" + strconv.Itoa(pid)
		if _, twice := cpu[key]; twice {
			continue
		}
		rss += p.rssMiB
		cpu[key] = p.cpu
		// A child that ended since takes its time along into its parent's counter; what was already counted for it
		// is then counted a second time, so take it off.
		used += p.cpu - w.cpu[key]
	}
	for key, before := range w.cpu {
		if _, lives := cpu[key]; !lives {
			used -= before
		}
	}
	if len(pids) > 0 {
		w.win.cpu += max(0, used)
		w.win.cpuTime += now.Sub(w.seen)
		w.win.hostMiB = max(w.win.hostMiB, rss)
		w.win.host = true
	}
	w.cpu, w.seen = cpu, now
}

// devices adds a sample of the trial's devices. What the trial itself holds is what the driver says of its
// processes; where it does not name them, what was added to the device since the trial began, if it has the device alone.
func (w *Watch) devices(gpus []GPU, pids []int, shared map[int]bool) {
	for _, g := range gpus {
		if !slices.Contains(w.gpus, g.Index) || g.TotalMiB <= 0 {
			continue
		}
		w.win.gpu = true
		w.win.gpuMemory = max(w.win.gpuMemory, float64(g.UsedMiB())/float64(g.TotalMiB))
		if !math.IsNaN(g.Utilisation) {
			w.win.gpuUse += g.Utilisation
			w.win.gpuUses++
		}
		own, known := int64(0), false
		for _, p := range g.Processes {
			if slices.Contains(pids, p.PID) && p.MiB > 0 {
				own, known = own+p.MiB, true
			}
		}
		if base, ok := w.base[g.Index]; !known && !shared[g.Index] && ok {
			own, known = max(0, g.UsedMiB()-base), true
		}
		if known {
			w.win.own = true
			w.owns++
			w.win.gpuMiB = max(w.win.gpuMiB, float64(own))
			w.peak = max(w.peak, own)
		}
	}
}

// Take returns the metrics since the last Take and begins a new window. What was not measured is absent.
func (w *Watch) Take() map[string]float64 {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	now := w.s.now()
	if !w.win.host && !w.win.gpu && now.Sub(w.s.last) > w.s.every/4 { // a younger one would show nothing new
		w.s.sample()
	}
	m := map[string]float64{MetricTime: now.Sub(w.since).Seconds()}
	if w.win.gpu {
		m[MetricGPUMemory] = w.win.gpuMemory
		if w.win.gpuUses > 0 {
			m[MetricGPUUse] = w.win.gpuUse / float64(w.win.gpuUses)
		}
	}
	if w.win.own {
		m[MetricGPUMemoryMiB] = w.win.gpuMiB
	}
	if w.win.host {
		m[MetricHostMiB] = w.win.hostMiB
		if w.win.cpuTime > 0 {
			m[MetricCPUUse] = w.win.cpu.Seconds() / w.win.cpuTime.Seconds() / float64(max(1, w.target.Cores))
		}
	}
	w.win, w.since = window{}, now
	return m
}

// enough samples without any memory say that a trial uses none, and is not just starting.
const enough = 5

// PeakMiB is the most GPU memory that the trial was seen to hold on one device; false if that is not known.
func (w *Watch) PeakMiB() (int64, bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.peak, w.peak > 0 || w.owns >= enough
}

// Close ends the watch; calling it again does nothing.
func (w *Watch) Close() {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, w)
	if len(s.watches) == 0 && s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
}
