package preflight

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// StudiedCommit is the commit of WongKinYiu/yolov9 that everything mapsweep knows of the official code was read in.
const StudiedCommit = "5b1ea9a8b3f0ffe4fe0e203ec6232d788bb3fcff"

// studiedSums lists the files that training runs through or that our launcher reaches into, each with the SHA-256 of
// its content at StudiedCommit (carriage returns removed), as sha256sum prints them:
//
//	git ls-files | ... | while read f; do tr -d '\r' <$f | sha256sum | sed "s#-\$#$f#"; done
//
//go:embed studied.sha256
var studiedSums string

// Checkout is what was found of a checkout of the official code.
type Checkout struct {
	Dir     string   `json:"dir"`               // absolute, links resolved: what the code itself calls its root
	Commit  string   `json:"commit,omitempty"`  // "" without .git
	Edited  []string `json:"edited,omitempty"`  // files that differ from those of StudiedCommit
	Missing []string `json:"missing,omitempty"` // files of StudiedCommit that are not there
	Dirty   bool     `json:"dirty,omitempty"`   // git knows of uncommitted changes
}

// Studied says that all code that matters is that which was studied.
func (c Checkout) Studied() bool {
	return len(code(c.Edited)) == 0 && len(code(c.Missing)) == 0
}

// code and settings divide the studied files.
func code(names []string) []string     { return withEnding(names, ".py", true) }
func settings(names []string) []string { return withEnding(names, ".py", false) }

func withEnding(names []string, end string, want bool) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasSuffix(n, end) != want })
}

// ReadCheckout compares a folder with the official code as it was studied. It needs no git, but asks it, if it is
// there, for uncommitted changes.
func ReadCheckout(dir string) (Checkout, Faults) {
	const get = "git clone https://github.com/WongKinYiu/yolov9 and give its folder as trainer.checkout"
	c := Checkout{Dir: dir}
	if dir == "" {
		return c, Faults{one(Error, AreaCheckout, "checkout-none", "", get, "no checkout of the official code is given")}
	}
	abs, err := filepath.Abs(dir)
	if err == nil {
		c.Dir, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		c.Dir = abs
		return c, Faults{one(Error, AreaCheckout, "checkout-missing", dir, get, "the checkout cannot be opened: %v", cause(err))}
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return c, Faults{one(Error, AreaCheckout, "checkout-missing", dir, get, "the checkout is no folder")}
	}
	c.compare()
	c.Commit = commitOf(c.Dir)
	c.Dirty = dirty(c.Dir)
	return c, c.judge()
}

// Files are the files of the official code that matter to training, relative to the checkout.
func Files() []string {
	var names []string
	for line := range strings.Lines(studiedSums) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		names = append(names, name)
	}
	return names
}

// compare fills in Edited and Missing.
func (c *Checkout) compare() {
	for line := range strings.Lines(studiedSums) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		b, err := os.ReadFile(filepath.Join(c.Dir, filepath.FromSlash(name)))
		if err != nil {
			c.Missing = append(c.Missing, name)
			continue
		}
		got := sha256.Sum256(bytes.ReplaceAll(b, []byte("\r"), nil))
		if hex.EncodeToString(got[:]) != sum {
			c.Edited = append(c.Edited, name)
		}
	}
}

// judge makes the faults of what was found.
func (c Checkout) judge() Faults {
	var all Faults
	add := func(l Level, kind string, names []string, do, format string, args ...any) {
		if len(names) > 0 {
			f := one(l, AreaCheckout, kind, c.Dir, do, format, args...)
			f.list(names)
			all = append(all, f)
		}
	}
	needed := code(c.Missing)
	if slices.Contains(needed, "train.py") && slices.Contains(needed, "train_dual.py") && slices.Contains(needed, "utils/general.py") {
		return Faults{one(Error, AreaCheckout, "checkout-other", c.Dir, "give the folder that holds train_dual.py",
			"this is no checkout of the official YOLOv9: train.py, train_dual.py and utils/general.py are missing")}
	}
	short := StudiedCommit[:12]
	add(Error, "checkout-files", needed, "restore them: git checkout "+short, "files of the official code are missing that training needs")
	add(Warning, "checkout-edited", code(c.Edited), "check what the changes do, run `mapsweep audit`, or use commit "+short,
		"files differ from the studied commit %s: what mapsweep knows of the code may be untrue, and its launcher may not fit", short)
	add(Note, "checkout-settings-missing", settings(c.Missing), "", "model or hyper-parameter files of the official code are missing; only studies that name them need them")
	add(Note, "checkout-settings-edited", settings(c.Edited), "", "model or hyper-parameter files are not those of the studied commit; mapsweep writes every hyper-parameter itself, so only the models matter")
	return append(all, c.judgeCommit()...)
}

func (c Checkout) judgeCommit() Faults {
	switch {
	case c.Commit == "" && c.Studied():
		return Faults{one(Note, AreaCheckout, "checkout-commit", c.Dir, "", "no git history is there; by their content the files are those of %s", StudiedCommit[:12])}
	case c.Commit == "":
		return Faults{one(Note, AreaCheckout, "checkout-commit", c.Dir, "", "no git history is there, so the commit is unknown")}
	case c.Commit != StudiedCommit && c.Studied():
		return Faults{one(Note, AreaCheckout, "checkout-commit", c.Dir, "", "the commit is %.12s, not the studied %.12s, but all files that matter are the same", c.Commit, StudiedCommit)}
	case c.Commit != StudiedCommit:
		return Faults{one(Warning, AreaCheckout, "checkout-commit", c.Dir, "git checkout "+StudiedCommit[:12]+", or run `mapsweep audit`",
			"the commit is %.12s; mapsweep knows %.12s", c.Commit, StudiedCommit)}
	case c.Dirty && c.Studied():
		return Faults{one(Note, AreaCheckout, "checkout-dirty", c.Dir, "", "there are uncommitted changes, none in a file that matters to training")}
	}
	return nil
}

// list names the things of a fault.
func (f *Fault) list(names []string) {
	f.Count, f.Places = len(names), names[:min(len(names), placesPerFault)]
}

// cause is an error without the operation and path that the reader sees anyway.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// rootRelative makes a path of the checkout's absolute.
func rootRelative(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

var errNotFound = errors.New("file not found")

// Find resolves a file name as the official scripts do when they are started in the checkout: a file that is there,
// seen from the checkout, counts first; else the one file of that name below data, models or utils.
func Find(checkout, name string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("find file: no name is given: %w", errNotFound)
	}
	checkout, err := filepath.Abs(checkout)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	if at := rootRelative(checkout, name); isFile(at) {
		return at, nil
	}
	if strings.Contains(name, "://") {
		return "", fmt.Errorf("find %s: the official code would download it: fetch it first and give its path", name)
	}
	if filepath.IsAbs(name) {
		return "", fmt.Errorf("find %s: %w", name, errNotFound)
	}
	found := search(checkout, filepath.ToSlash(filepath.Clean(name)))
	switch len(found) {
	case 0:
		return "", fmt.Errorf("find %s: %w, neither as a path seen from %s nor below its data, models or utils%s", name, errNotFound, checkout, hint(checkout, name))
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("find %s: %d files have that name (%s): give the path of one", name, len(found), strings.Join(found, ", "))
}

// search lists the files below data, models and utils whose path ends in name.
func search(checkout, name string) []string {
	var found []string
	for _, d := range []string{"data", "models", "utils"} {
		root := filepath.Join(checkout, d)
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // what cannot be read is not found, as in the official code
			case e.IsDir() && path != root && strings.HasPrefix(e.Name(), "."):
				return fs.SkipDir
			case !e.IsDir() && strings.HasSuffix(filepath.ToSlash(path), "/"+name):
				found = append(found, path)
			}
			return nil
		})
	}
	slices.Sort(found)
	return found
}

// hint names a file that may have been meant.
func hint(checkout, name string) string {
	if filepath.Ext(name) != "" {
		return ""
	}
	if found := search(checkout, filepath.Base(name)+".yaml"); len(found) > 0 {
		return ": did you mean " + filepath.Base(found[0]) + "?"
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
