package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// item is one picture of a split, as the official code lists it.
type item struct {
	name  string // as listed; lines of list files may be relative
	file  string // absolute
	label string // absolute, as the official code derives it from name
}

// rules of listing pictures.
var (
	ruleListEncoding = rule{"list-encoding", Error, "a list of images is not UTF-8 text, so the official code stops", "name a folder of images or a text file with one path a line"}
	ruleListRelative = rule{"list-relative", Note, "lines of a list file are relative and do not begin with ./, so they are seen from the folder where training is started; mapsweep starts it in the checkout", "write absolute paths, or ./ for paths beside the list"}
	ruleListDropped  = rule{"list-dropped", Warning, "lines of a list file name no picture by their ending, so the official code passes over them", "remove blanks at the end of lines, and lines that are no images"}
	ruleListTwice    = rule{"list-twice", Note, "images are listed more than once; the official code uses each once", "list each once"}
	ruleOverlooked   = rule{"image-ending", Warning, "files look like pictures, but the official code passes over their endings", "convert them to .jpg or .png"}
	ruleLoop         = rule{"folder-loop", Warning, "a link leads back to a folder above it, so the official code lists the same images many times", "remove the link"}
	ruleUnreadable   = rule{"folder-unreadable", Warning, "a folder cannot be read, so the official code passes over it", "give the user read and search permission"}
	ruleNoImages     = rule{"no-images", Error, "no images are found, so the official code stops", "name a folder that holds .jpg or .png files, at any depth"}
)

// lister lists the pictures of a split.
type lister struct {
	data  Data
	tally *tally
	found []string // names
}

// list returns the pictures of a split in the order of the official code, and all names as listed, some perhaps more
// than once. Paths that do not exist or cannot be searched are passed over: Resolve has told of them.
func list(d Data, split string, t *tally) (items []item, listed []string) {
	l := lister{data: d, tally: t}
	for _, e := range d.Splits[split] {
		switch {
		case isDir(e.Path):
			if !strings.ContainsAny(e.Path, "*?[") {
				l.folder(e.Path, nil)
			}
		case isFile(e.Path):
			l.file(e.Path)
		}
	}
	slices.Sort(l.found)
	distinct := slices.Compact(slices.Clone(l.found))
	if n := len(l.found) - len(distinct); n > 0 {
		for i := 1; i < len(l.found); i++ {
			if l.found[i] == l.found[i-1] {
				t.add(ruleListTwice, l.found[i], "")
			}
		}
	}
	items = make([]item, len(distinct))
	for i, name := range distinct {
		items[i] = item{name: name, file: rootRelative(d.Base, name), label: rootRelative(d.Base, labelPath(name))}
	}
	return items, l.found
}

// labelPath is where the labels of a picture lie: the last /images/ of its name replaced by /labels/, with .txt.
func labelPath(name string) string {
	if i := strings.LastIndex(name, "/images/"); i >= 0 {
		name = name[:i] + "/labels/" + name[i+len("/images/"):]
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[:i]
	}
	return name + ".txt"
}

// ending is what follows the last dot of a name, in lower case.
func ending(name string) string { return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]) }

// folder lists a folder and what lies below, through links too, but for names that begin with a dot.
func (l *lister) folder(dir string, above []os.FileInfo) {
	here, err := os.Stat(dir)
	if err != nil {
		return
	}
	if slices.ContainsFunc(above, func(i os.FileInfo) bool { return os.SameFile(i, here) }) {
		l.tally.add(ruleLoop, dir, "")
		return
	}
	above = append(above[:len(above):len(above)], here)
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.tally.add(ruleUnreadable, dir, cause(err).Error())
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		if strings.Contains(name, ".") {
			l.candidate(path)
		}
		if e.IsDir() || e.Type()&os.ModeSymlink != 0 && isDir(path) {
			l.folder(path, above)
		}
	}
}

// candidate takes a file if its ending is that of a picture.
func (l *lister) candidate(path string) {
	switch end := ending(path); {
	case slices.Contains(extensions, end):
		l.found = append(l.found, path)
	case slices.Contains(overlooked, end):
		l.tally.add(ruleOverlooked, path, "")
	}
}

// file reads a list file: a path a line.
func (l *lister) file(at string) {
	b, err := os.ReadFile(at)
	if err != nil {
		l.tally.add(rule{"list-unreadable", Error, "a list of images cannot be read", "give the user read permission"}, at, cause(err).Error())
		return
	}
	if !utf8.Valid(b) || strings.IndexByte(string(b[:min(len(b), 512)]), 0) >= 0 {
		l.tally.add(ruleListEncoding, at, "")
		return
	}
	lines := trimBlank(splitLines(string(b)))
	for i, line := range lines {
		name := line.text
		if i == 0 { // the official code strips the text as a whole, not its lines
			name = strings.TrimLeftFunc(name, isSpace)
		}
		if i == len(lines)-1 {
			name = strings.TrimRightFunc(name, isSpace)
		}
		if name == "" {
			continue
		}
		where := fmt.Sprintf("%s:%d", at, line.number)
		if !slices.Contains(extensions, ending(name)) {
			l.tally.add(ruleListDropped, where, fmt.Sprintf("%.80q", name))
			continue
		}
		if rest, ok := strings.CutPrefix(name, "./"); ok {
			name = filepath.Dir(at) + "/" + rest
		} else if !filepath.IsAbs(name) {
			l.tally.add(ruleListRelative, where, l.beside(at, name))
		}
		l.found = append(l.found, name)
	}
}

// beside says where a relative line leads, and whether it was meant to lead elsewhere.
func (l *lister) beside(at, name string) string {
	if exists(rootRelative(l.data.Base, name)) {
		return ""
	}
	if other := filepath.Join(filepath.Dir(at), name); exists(other) {
		return fmt.Sprintf("%s is not there, but %s is", rootRelative(l.data.Base, name), other)
	}
	return rootRelative(l.data.Base, name) + " is not there"
}

// cachePath is where the official code keeps what it read of a split's labels.
func cachePath(d Data, split string, items []item) string {
	entries := d.Splits[split]
	if len(entries) == 0 || len(items) == 0 {
		return ""
	}
	at := entries[len(entries)-1].Path
	if !isFile(at) {
		at = filepath.Dir(items[0].label)
	}
	name := filepath.Base(at)
	if i := strings.LastIndexByte(name, '.'); i > 0 && i < len(name)-1 {
		name = name[:i]
	}
	return filepath.Join(filepath.Dir(at), name+".cache")
}
