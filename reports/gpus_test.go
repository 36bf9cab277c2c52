package reports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// onGPUs is a study of two variants and two seeds whose trials lease GPUs: each begins so many seconds after the first and takes
// ten.
func onGPUs(precision string, begin [4]int, devices [4]string) maker {
	a := fixture.Quickstart()
	a.Seeds = 2
	return specOf(func() (trials.Study, []trials.Trial) {
		st, ts := a.Build()
		st.Provenance.Devices = []string{"cuda:0 Paper GPU (8192 MiB)", "cuda:10 Paper GPU (8192 MiB)"}
		ts = ts[:4]
		zero := ts[0].Started
		for i := range ts {
			ts[i].Started = zero.Add(time.Duration(begin[i]) * time.Second)
			ts[i].Finished = ts[i].Started.Add(10 * time.Second)
			ts[i].Attempts = nil
			if devices[i] != "" {
				ts[i].Attrs[trials.AttrDevices], ts[i].Attrs[trials.AttrPeakMiB] = trials.Attr(devices[i]), trials.Attr(100+i)
			}
			for k := range ts[i].Measurements {
				ts[i].Measurements[k].Metrics["gpu/utilisation"] = 0.5 + 0.1*float64(i)
			}
		}
		return st, ts
	}, func(s *studies.Spec) { s.Trainer.Precision = precision })
}

// The report says what trials computed on, how many at a time, and what they took of it.
func TestGPUs(t *testing.T) {
	for name, c := range map[string]struct {
		make maker
		says string // "": nothing
	}{
		"packed": {onGPUs("bf16", [4]int{0, 10, 12, 20}, [4]string{"cuda:0", "cuda:0", "cuda:0", "cuda:0"}),
			"Trials computed in bf16 on cuda:0 Paper GPU (8192 MiB), up to 2 at a time on a GPU; a trial held 103 MiB of a GPU's memory at most; GPUs were busy for 65 % of the time (median of all epochs)."},
		"one after another": {onGPUs("", [4]int{0, 10, 20, 30}, [4]string{"cuda:0", "cuda:0", "cuda:0", ""}),
			"Trials computed on cuda:0 Paper GPU (8192 MiB), one at a time on a GPU; a trial held 102 MiB of a GPU's memory at most; GPUs were busy for 60 % of the time (median of all epochs)."},
		"spread": {onGPUs("", [4]int{0, 0, 10, 10}, [4]string{"cuda:0", "cuda:1", "cuda:0", "cuda:1"}),
			"Trials computed on cuda:0 Paper GPU (8192 MiB) and on cuda:1, one at a time on a GPU; a trial held 103 MiB"},
		"together": {onGPUs("", [4]int{0, 10, 20, 30}, [4]string{"cuda:0, cuda:1", "cuda:0, cuda:1", "cuda:0, cuda:1", "cuda:0, cuda:1"}),
			"on cuda:0 Paper GPU (8192 MiB) and on cuda:1, each on 2 GPUs together; "},
		"the CPU": {onGPUs("", [4]int{0, 0, 0, 0}, [4]string{}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := reports.New(c.make())
			if err != nil {
				t.Fatal(err)
			}
			words := reports.Methods(s)
			if _, ok := s.GPUs(); ok != (c.says != "") || !strings.Contains(words, c.says) || c.says == "" && strings.Contains(words, "computed") {
				t.Errorf("%s\nwant %s", words, c.says)
			}
		})
	}
}
