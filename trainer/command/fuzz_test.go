package command

import (
	"bytes"
	"testing"
)

// FuzzMetrics feeds lines in two pieces: nothing may panic, and the pieces give what the whole gives.
func FuzzMetrics(f *testing.F) {
	f.Add([]byte(`{"epoch": 3, "mAP50-95": 0.41, "x": NaN}`+"\n"+`{"epoch": 1, "a": null}`), 17)
	f.Add([]byte("nonsense\n\n{\"epoch\": 1e300}\n[NaN]"), 3)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		cut = min(max(cut, 0), len(data))
		var whole, parts metrics
		whole.partial = bytes.Clone(data)
		whole.read(true)
		parts.partial = bytes.Clone(data[:cut])
		parts.read(false)
		parts.partial = append(parts.partial, data[cut:]...)
		parts.read(true)
		if whole.lines != parts.lines || whole.nonsense != parts.nonsense || len(whole.seen) != len(parts.seen) {
			t.Errorf("whole: %d lines, %d nonsense, %d epochs; in parts: %d, %d, %d", whole.lines, whole.nonsense, len(whole.seen),
				parts.lines, parts.nonsense, len(parts.seen))
		}
		for i, m := range whole.seen {
			if m.Epoch < 1 || i > 0 && m.Epoch <= whole.seen[i-1].Epoch {
				t.Errorf("epoch %d at place %d", m.Epoch, i)
			}
		}
	})
}
