package preflight_test

import (
	"path/filepath"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

func TestCheckPicture(t *testing.T) {
	dir := t.TempDir()
	for _, p := range pictures(t) {
		put(t, dir, map[string]string{p.name: p.content})
		rule, ignored := preflight.CheckPicture(filepath.Join(dir, p.name))
		if rule != p.rule || ignored != p.ignored {
			t.Errorf("%s: %q, left out %v; want %q, %v", p.name, rule, ignored, p.rule, p.ignored)
		}
		if rule != "" && !preflight.HasRule(rule) {
			t.Errorf("%s is not explained", rule)
		}
	}
	put(t, dir, map[string]string{"big.tif": "II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"}) // the header only
	if rule, ignored := preflight.CheckPicture(filepath.Join(dir, "big.tif")); rule != "image-unsure" || ignored {
		t.Errorf("BigTIFF: %q, left out %v", rule, ignored)
	}
	for name, want := range map[string]string{"none.jpg": "image-missing", ".": "image-broken"} {
		if rule, ignored := preflight.CheckPicture(filepath.Join(dir, name)); rule != want || !ignored {
			t.Errorf("%s: %q, left out %v", name, rule, ignored)
		}
	}
}

func FuzzCheckPicture(f *testing.F) {
	for _, p := range pictures(f) {
		f.Add([]byte(p.content))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		put(t, dir, map[string]string{"a.jpg": string(b)})
		if rule, ignored := preflight.CheckPicture(filepath.Join(dir, "a.jpg")); ignored && rule == "" || rule != "" && !preflight.HasRule(rule) {
			t.Fatalf("%q, left out %v", rule, ignored)
		}
	})
}
