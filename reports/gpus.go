package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mapsweep/mapsweep/trials"
)

// GPUs is how a study's trials used the GPUs that they leased, as far as it was recorded.
type GPUs struct {
	Names   []string // of all that trials leased, as the provenance has them, or else as they were leased: "cuda:0"
	Each    int      // GPUs of a trial, at most
	AtOnce  int      // trials on one GPU at the same time, at most
	PeakMiB int64    // that a trial held on one GPU, at most; 0: not known
	Busy    float64  // median of the epochs' use of GPUs, 0 to 1; NaN: not known
}

// GPUs looks at all trials that leased GPUs; ok is false where none did.
func (s *Snapshot) GPUs() (g GPUs, ok bool) {
	spans := map[string][][2]time.Time{} // by GPU: when a trial had it
	var use []float64
	for _, t := range s.Trials {
		leased := LeasedGPUs(t)
		if len(leased) == 0 {
			continue
		}
		g.Each = max(g.Each, len(leased))
		if n, known := t.Integer(trials.AttrPeakMiB); known {
			g.PeakMiB = max(g.PeakMiB, n)
		}
		for _, m := range t.Measurements {
			if v, known := m.Metrics["gpu/utilisation"]; known && finite(v) {
				use = append(use, v)
			}
		}
		list := intervals(t, s.AsOf)
		for _, d := range leased {
			spans[d] = append(spans[d], list[max(0, len(list)-1):]...) // the lease is the last start's
		}
	}
	for _, d := range slices.Sorted(maps.Keys(spans)) {
		g.Names = append(g.Names, s.deviceName(d))
		g.AtOnce = max(g.AtOnce, 1, overlap(spans[d]))
	}
	g.Busy = math.NaN()
	if len(use) > 0 {
		slices.Sort(use)
		g.Busy = quantile(use, 0.5)
	}
	return g, len(spans) > 0
}

// LeasedGPUs are the GPUs that a trial leased last, such as cuda:0.
func LeasedGPUs(t trials.Trial) []string {
	text := t.Text(trials.AttrDevices)
	if text == "" {
		return nil
	}
	return strings.Split(text, ", ")
}

// deviceName is a leased device with its model and memory, where some run of the study has recorded them.
func (s *Snapshot) deviceName(device string) string {
	for _, d := range append(slices.Clone(s.Study.LastProvenance().Devices), s.Study.Provenance.Devices...) {
		if strings.HasPrefix(d, device+" ") {
			return d
		}
	}
	return device
}

// overlap is how many of the spans are under way at the same time, at most. One that begins as another ends comes after it.
func overlap(spans [][2]time.Time) (most int) {
	type edge struct {
		at   time.Time
		step int
	}
	var edges []edge
	for _, p := range spans {
		edges = append(edges, edge{p[0], 1}, edge{p[1], -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.step, b.step)) })
	now := 0
	for _, e := range edges {
		now += e.step
		most = max(most, now)
	}
	return most
}

// gpuWords say what trials were trained on, and how they used it; "" where they leased no GPU.
func (s *Snapshot) gpuWords() string {
	g, ok := s.GPUs()
	if !ok {
		return ""
	}
	w := "Trials computed"
	if p := s.Spec.Trainer.Precision; p != "" {
		w += " in " + p
	}
	w += " on " + strings.Join(g.Names, " and on ")
	switch {
	case g.Each > 1:
		w += fmt.Sprintf(", each on %d GPUs together", g.Each)
	case g.AtOnce > 1:
		w += fmt.Sprintf(", up to %d at a time on a GPU", g.AtOnce)
	default:
		w += ", one at a time on a GPU"
	}
	if g.PeakMiB > 0 {
		w += fmt.Sprintf("; a trial held %d MiB of a GPU's memory at most", g.PeakMiB)
	}
	if finite(g.Busy) {
		w += fmt.Sprintf("; GPUs were busy for %s %% of the time (median of all epochs)", percent(g.Busy))
	}
	return w + "."
}
