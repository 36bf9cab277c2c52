package diagnosis

import (
	"slices"
	"strings"
)

// The article's three patterns of GPU memory and utilisation, as fractions.
const (
	fullMemory, idleUse         = 0.95, 0.30 // above, below: loading is the bottleneck
	roomyMemory, busyUse        = 0.70, 0.90 // below, above: compute-bound
	limitMemLow, limitMemHigh   = 0.85, 0.92 // within: at the hardware's limit
	limitUseLow, limitUseHigh   = 0.75, 0.85
	idleShare, mostlyIdle       = 0.30, 0.70 // share of an epoch that a GPU waits
	coresWait                   = 0.50       // utilisation of the leased cores under which they wait
	slowerBy, slowerFrom, early = 1.5, 8, 3
	shortest                    = 1e-3 // seconds
)

const gpuThresholds = "memory over 95 % and utilisation under 30 %: loading is the bottleneck; memory under 70 % and utilisation over 90 %: compute-bound; memory 85 to 92 % and utilisation 75 to 85 %: at the hardware's limit"

// typical is the median over epochs without the first, which holds start-up and the filling of caches.
func (t *trace) typical(metric string) (Number, bool) {
	s := t.curves[metric]
	if len(s) == 0 {
		return Number{}, false
	}
	if len(s) > 1 {
		s = s[1:]
	}
	return Number{Value: median(s.values()), From: s.first().epoch, To: s.last().epoch}, true
}

// noGPU says why there is no telemetry of a GPU.
func (t *trace) noGPU() string {
	if onGPU := slices.ContainsFunc(t.Devices, func(d string) bool { return strings.HasPrefix(d, "cuda") }); onGPU {
		return "no use of the GPU was sampled while the trial ran"
	}
	if t.Backend == backendNative || len(t.Devices) > 0 {
		return "the trial had no GPU"
	}
	return "no use of a GPU is stored: the trial had none, or it was not sampled"
}

// gpu matches memory and utilisation with the article's patterns. Both are of the whole card, other programs included.
func gpu(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromArticle, Threshold: gpuThresholds,
		Note: "Both are of the whole card, other trials and programs on it included."}
	memory, ok := t.typical("gpu/memory")
	use, ok2 := t.typical("gpu/utilisation")
	if !ok && !ok2 {
		return unknown(f.Threshold, f.Source, t.noGPU()), true
	}
	if !ok || !ok2 {
		return unknown(f.Threshold, f.Source, "of GPU memory and utilisation only one was sampled"), true
	}
	memory.Name, memory.Unit = "GPU memory, median of the epochs' peaks", Share
	use.Name, use.Unit = "GPU utilisation, median", Share
	f.Numbers = []Number{memory, use}
	if mib, ok := t.typical("gpu/memory-mib"); ok {
		mib.Name, mib.Unit = "GPU memory", MiB
		f.Numbers = append(f.Numbers, mib)
	}
	m, u := memory.Value, use.Value
	switch {
	case m > fullMemory && u < idleUse:
		f.State, f.Meaning = Problem, "The GPU is full and waits: loading of pictures is the bottleneck."
		f.Levers = t.levers(feed)
	case m < roomyMemory && u > busyUse:
		f.State, f.Meaning = Watch, "The GPU computes all the time and has memory to spare: half precision would make it faster."
		f.Levers = t.levers(precisionLower, batchSize)
	case m >= limitMemLow && m <= limitMemHigh && u >= limitUseLow && u <= limitUseHigh:
		f.Meaning = "The configuration is at the hardware's limit: this GPU is well used."
	case u < idleUse:
		f.State, f.Meaning = Watch, "None of the article's three patterns, but the GPU is idle most of the time."
		f.Levers = t.levers(feed, batchSize)
	default:
		f.Meaning = "None of the article's three patterns."
	}
	return f, true
}

// loading asks how much of an epoch the device waits, for pictures or for validation.
func loading(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: "tuning article, figures of caching",
		Threshold: "GPU idle for more than 30 % of the time: to watch; for more than 70 %: a problem"}
	use, ok := t.typical("gpu/utilisation")
	if !ok {
		return t.loadingCores(f)
	}
	idle := max(0, 1-use.Value)
	f.Numbers = []Number{{"GPU idle", idle, Share, use.From, use.To}}
	if epoch, ok := t.typical("time/epoch"); ok {
		f.Numbers = append(f.Numbers, Number{"an epoch takes", epoch.Value, Seconds, epoch.From, epoch.To}, Number{"of which the GPU waits", epoch.Value * idle, Seconds, epoch.From, epoch.To})
	}
	cores, sampled := t.typical("cpu/utilisation")
	if sampled {
		f.Numbers = append(f.Numbers, Number{"cores of the trial in use", cores.Value, Share, cores.From, cores.To})
	}
	switch {
	case idle > mostlyIdle:
		f.State, f.Meaning = Problem, "The GPU waits most of the time, for pictures or for validation."
	case idle > idleShare:
		f.State, f.Meaning = Watch, "The GPU waits for a good part of the time, for pictures or for validation."
	default:
		f.Meaning = "The GPU hardly waits."
		return f, true
	}
	if sampled && cores.Value > busyUse {
		f.Meaning += " Its cores are busy all the time: more workers will not help, caching or more cores will."
	}
	f.Levers = t.levers(feed)
	return f, true
}

// loadingCores judges a trial that computes on cores.
func (t *trace) loadingCores(f Finding) (Finding, bool) {
	cores, ok := t.typical("cpu/utilisation")
	if !ok {
		return unknown(f.Threshold, f.Source, t.noGPU()+"; nor is the use of its cores stored"), true
	}
	f.Threshold, f.Source = "leased cores in use for less than 50 % of the time, in a trial without a GPU", fromUs
	f.Numbers = []Number{{"cores of the trial in use", cores.Value, Share, cores.From, cores.To}}
	f.Meaning = "The cores are busy."
	if cores.Value < coresWait {
		f.State, f.Meaning = Watch, "The cores wait: for the disk, for each other, or because the trial leased more than it can use."
		f.Levers = t.levers(feed)
	}
	return f, true
}

// slower compares the time of the last epochs with that of early ones.
func slower(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs,
		Threshold: "median time of the last 3 epochs more than 1.5 times that of epochs 2 to 4"}
	s := t.curves["time/epoch"]
	if len(s) == 0 {
		s = t.timeBetween()
	}
	if len(s) < slowerFrom {
		return tooFew(f.Threshold, f.Source, "the time of an epoch", len(s), slowerFrom), true
	}
	begin, end := s[1:1+early], s.tail(early)
	a, b := median(begin.values()), median(end.values())
	if a < shortest {
		return unknown(f.Threshold, f.Source, "epochs took less than a millisecond"), true
	}
	f.Numbers = []Number{{"an epoch takes", a, Seconds, begin.first().epoch, begin.last().epoch}, {"an epoch takes", b, Seconds, end.first().epoch, end.last().epoch}}
	if b > slowerBy*a {
		f.State, f.Meaning = Watch, "Epochs became slower: something else uses the machine, it runs hot, or memory fills up."
		f.Levers = t.levers(parallel)
		return f, true
	}
	f.Meaning = "Epochs took the same time from beginning to end."
	return f, true
}

// timeBetween is the time from one epoch's measurement to the next; attempts that begin in between make
// outliers, which medians do not mind.
func (t *trace) timeBetween() series {
	var s series
	for i := 1; i < len(t.times); i++ {
		a, b := t.times[i-1], t.times[i]
		if b.Epoch == a.Epoch+1 && !a.At.IsZero() && b.At.After(a.At) {
			s = append(s, point{b.Epoch, b.At.Sub(a.At).Seconds()})
		}
	}
	return s
}
