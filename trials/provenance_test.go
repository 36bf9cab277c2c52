package trials_test

import (
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func TestProvenanceDifferences(t *testing.T) {
	p := trials.Provenance{Version: "v1", Commit: "a", Host: "h", CPU: "c", Cores: 2, Devices: []string{"cpu"}, Go: "go1", OS: "linux", Extra: map[string]string{trials.ExtraInstructionSet: "avx2"}}
	for want, change := range map[string]func(*trials.Provenance){
		"":                               func(*trials.Provenance) {},
		"version v1 → v2":                func(p *trials.Provenance) { p.Version = "v2" },
		"commit a → b":                   func(p *trials.Provenance) { p.Commit = "b" },
		"host h → i":                     func(p *trials.Provenance) { p.Host = "i" },
		"processor c → d":                func(p *trials.Provenance) { p.CPU = "d" },
		"cores 2 → 4":                    func(p *trials.Provenance) { p.Cores = 4 },
		"devices cpu → cuda:0":           func(p *trials.Provenance) { p.Devices = []string{"cuda:0"} },
		"instruction set avx2 → avx512":  func(p *trials.Provenance) { p.Extra = map[string]string{trials.ExtraInstructionSet: "avx512"} },
		"instruction set avx2 → unknown": func(p *trials.Provenance) { p.Extra = nil },
	} {
		q := p
		change(&q)
		if got := strings.Join(p.Differences(q), ", "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
