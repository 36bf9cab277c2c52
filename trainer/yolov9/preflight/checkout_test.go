package preflight_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/yolov9/preflight"
)

// layers is the tail of a model file with a head.
func layers(head string) string {
	return "nc: 80\nbackbone:\n  [[-1, 1, Silence, []], [-1, 1, Conv, [64, 3, 2]]]\nhead:\n  [[-1, 1, nn.Upsample, [None, 2, 'nearest']],\n   [[1, 2], 1, " + head + ", [nc]],\n  ]\n"
}

// fakeCheckout makes a folder with all files that a checkout must have, and lets them count as the studied ones.
func fakeCheckout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"models/segment/gelan-c-seg.yaml": layers("Segment"), "models/detect/twin.yaml": layers("DDetect"), "models/hub/twin.yaml": layers("DDetect")}
	var sums strings.Builder
	for line := range strings.Lines(preflight.Studied()) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content := "# " + name + "\n"
		switch base := filepath.Base(name); {
		case strings.HasPrefix(base, "yolov9-cf"):
			content = layers("TripleDDetect")
		case strings.HasPrefix(base, "yolov9"):
			content = layers("DualDDetect")
		case strings.HasPrefix(base, "gelan"):
			content = layers("DDetect")
		case strings.HasPrefix(base, "yolov7"):
			content = layers("Detect")
		}
		files[name] = content
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(content)), name)
	}
	put(t, dir, files)
	t.Cleanup(preflight.SetStudied(sums.String()))
	return dir
}

func TestStudied(t *testing.T) {
	n := 0
	for line := range strings.Lines(preflight.Studied()) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || len(sum) != 64 || filepath.IsAbs(name) {
			t.Errorf("%q", line)
		}
		n++
	}
	if n < 40 || !strings.Contains(preflight.Studied(), "  utils/loss_tal_dual.py\n") {
		t.Errorf("%d files", n)
	}
}

func TestReadCheckout(t *testing.T) {
	const other = "0123456789abcdef0123456789abcdef01234567"
	head := func(commit string) map[string]string {
		return map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": commit + "\n"}
	}
	tests := []struct {
		name   string
		put    map[string]string
		remove []string
		commit string
		kinds  string
		level  preflight.Level // of the first fault
		place  string          // in the first fault
	}{
		{name: "as studied", put: head(preflight.StudiedCommit), commit: preflight.StudiedCommit},
		{name: "detached", put: map[string]string{".git/HEAD": preflight.StudiedCommit + "\n"}, commit: preflight.StudiedCommit},
		{name: "packed", put: map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs\n" + preflight.StudiedCommit + " refs/heads/main\n"}, commit: preflight.StudiedCommit},
		{name: "work tree", put: map[string]string{".git": "gitdir: ../shelf/worktrees/a\n", "../shelf/worktrees/a/HEAD": "ref: refs/heads/b\n", "../shelf/worktrees/a/commondir": "../..\n", "../shelf/refs/heads/b": preflight.StudiedCommit}, commit: preflight.StudiedCommit},
		{name: "carriage returns", put: map[string]string{"train.py": "# train.py\r\n", ".git/HEAD": preflight.StudiedCommit}, commit: preflight.StudiedCommit},
		{name: "unborn branch", put: map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, kinds: "checkout-commit", level: preflight.Note},
		{name: "no history", kinds: "checkout-commit", level: preflight.Note},
		{name: "other commit, same files", put: head(other), commit: other, kinds: "checkout-commit", level: preflight.Note},
		{name: "other commit, other files", put: merge(head(other), map[string]string{"utils/loss_tal.py": "gains = 1"}), commit: other, kinds: "checkout-edited checkout-commit", level: preflight.Warning, place: "utils/loss_tal.py"},
		{name: "edited", put: merge(head(preflight.StudiedCommit), map[string]string{"train_dual.py": "# mine"}), commit: preflight.StudiedCommit, kinds: "checkout-edited", level: preflight.Warning, place: "train_dual.py"},
		{name: "edited, no history", put: map[string]string{"train_dual.py": "# mine"}, kinds: "checkout-edited checkout-commit", level: preflight.Warning, place: "train_dual.py"},
		{name: "script missing", put: head(preflight.StudiedCommit), remove: []string{"train_triple.py"}, commit: preflight.StudiedCommit, kinds: "checkout-files", level: preflight.Error, place: "train_triple.py"},
		{name: "hyp missing", put: head(preflight.StudiedCommit), remove: []string{"data/hyps/hyp.scratch-high.yaml"}, commit: preflight.StudiedCommit, kinds: "checkout-settings-missing", level: preflight.Note},
		{name: "model edited", put: merge(head(preflight.StudiedCommit), map[string]string{"models/detect/yolov9-c.yaml": layers("DualDDetect") + "# nc"}), commit: preflight.StudiedCommit, kinds: "checkout-settings-edited", level: preflight.Note, place: "models/detect/yolov9-c.yaml"},
		{name: "another project", remove: []string{"train.py", "train_dual.py", "utils/general.py"}, kinds: "checkout-other", level: preflight.Error},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := fakeCheckout(t)
			put(t, dir, tt.put)
			for _, name := range tt.remove {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			c, faults := preflight.ReadCheckout(dir)
			if c.Commit != tt.commit || c.Dir != dir || kinds(faults) != tt.kinds {
				t.Errorf("%+v: %v; want %q", c, faults, tt.kinds)
			}
			if len(faults) > 0 && (faults[0].Level != tt.level || tt.place != "" && !slices.Contains(faults[0].Places, tt.place)) {
				t.Errorf("%+v", faults[0])
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	put(t, filepath.Dir(file), map[string]string{"file": ""})
	for dir, want := range map[string]string{"": "checkout-none", "/no/such/folder": "checkout-missing", file: "checkout-missing"} {
		if _, faults := preflight.ReadCheckout(dir); kinds(faults) != want || faults.Err() == nil {
			t.Errorf("%q: %v", dir, faults)
		}
	}
}

func merge(a, b map[string]string) map[string]string {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// TestDirty asks a real git.
func TestDirty(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	dir := fakeCheckout(t)
	put(t, dir, map[string]string{"README.md": "a"})
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "a")
	if c, _ := preflight.ReadCheckout(dir); c.Dirty || len(c.Commit) != 40 {
		t.Errorf("clean: %+v", c)
	}
	put(t, dir, map[string]string{"README.md": "b", "untracked": ""})
	if c, _ := preflight.ReadCheckout(dir); !c.Dirty {
		t.Errorf("edited: %+v", c)
	}
}

func TestScript(t *testing.T) {
	dir := fakeCheckout(t)
	put(t, dir, map[string]string{
		"mine.yaml": layers("TripleDetect"), "gelan-t.yaml": layers("DualDetect"), "models/detect/odd.yaml": layers("RTDETRDecoder"), "models/detect/cls.yaml": layers("Classify"),
		"models/detect/empty.yaml": "", "models/detect/flat.yaml": "backbone: []\nhead: [1, 2]\n", "models/detect/broken.yaml": "head: [\n", "models/.hidden/secret.yaml": layers("Detect"),
	})
	tests := []struct {
		cfg  string
		kind preflight.Kind
		path string // below the checkout
		err  string
	}{
		{"gelan-c.yaml", preflight.Single, "models/detect/gelan-c.yaml", ""},
		{"yolov7-af.yaml", preflight.Single, "models/detect/yolov7-af.yaml", ""},
		{"yolov9-t.yaml", preflight.Dual, "models/detect/yolov9-t.yaml", ""},
		{"detect/yolov9-s.yaml", preflight.Dual, "models/detect/yolov9-s.yaml", ""},
		{"models/detect/yolov9-cf.yaml", preflight.Triple, "models/detect/yolov9-cf.yaml", ""},
		{filepath.Join(dir, "models/detect/yolov9-e.yaml"), preflight.Dual, "models/detect/yolov9-e.yaml", ""},
		{"mine.yaml", preflight.Triple, "mine.yaml", ""},
		{"gelan-t.yaml", preflight.Dual, "gelan-t.yaml", ""}, // the one in the checkout itself goes first
		{"gelan-s", "", "", "did you mean gelan-s.yaml?"},
		{"twin.yaml", "", "", "2 files have that name"},
		{"none.yaml", "", "", "file not found"},
		{"/nowhere/gelan-c.yaml", "", "", "file not found"},
		{"secret.yaml", "", "", "file not found"},
		{"https://example.com/gelan-c.yaml", "", "", "would download it"},
		{"gelan-c.pt", "", "", ".yaml files only"},
		{"", "", "", "no name"},
		{"gelan-c-seg.yaml", "", "models/segment/gelan-c-seg.yaml", "last layer is Segment"},
		{"cls.yaml", "", "models/detect/cls.yaml", "Classify"},
		{"odd.yaml", "", "models/detect/odd.yaml", "last layer is RTDETRDecoder"},
		{"empty.yaml", "", "models/detect/empty.yaml", "not a model file"},
		{"flat.yaml", "", "models/detect/flat.yaml", "not a model file"},
		{"broken.yaml", "", "models/detect/broken.yaml", "not a model file"},
	}
	for _, tt := range tests {
		kind, path, err := preflight.Script(dir, tt.cfg)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.cfg, err, tt.err)
		}
		want := ""
		if tt.path != "" {
			want = filepath.Join(dir, tt.path)
		}
		if kind != tt.kind || path != want {
			t.Errorf("%s: %q %s, want %q %s", tt.cfg, kind, path, tt.kind, want)
		}
	}
	for kind, want := range map[preflight.Kind]string{preflight.Single: "train.py val.py", preflight.Dual: "train_dual.py val_dual.py", preflight.Triple: "train_triple.py val_triple.py"} {
		if got := kind.Train() + " " + kind.Val(); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
