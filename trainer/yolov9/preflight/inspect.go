package preflight

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Progress is how far an inspection is.
type Progress struct {
	Stage string // what is looked at: "train", "val", "duplicates"
	Done  int
	Total int
}

// InspectOptions say how data are inspected.
type InspectOptions struct {
	SingleClass bool // --single-cls: class numbers do not matter
	ImageSize   int  // of training, for the memory that --cache ram takes; 0: 640
	Workers     int  // files looked at side by side; 0: one a core
	// Progress, if not nil, is called now and then, by one goroutine at a time; it must be fast.
	Progress func(Progress)
}

// Inspect opens every image and label file of train and val and says what the official code will make of them. The
// error is that of a context that ended.
func Inspect(ctx context.Context, d Data, opts InspectOptions) (Summary, Faults, error) {
	if opts.Workers <= 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.ImageSize <= 0 {
		opts.ImageSize = 640
	}
	in := inspector{data: d, opts: opts, sum: Summary{Classes: d.Names, Splits: map[string]Split{}}, items: map[string][]item{},
		listed: map[string][]string{}, told: map[string]bool{}}
	for _, s := range splitNames {
		t := &in.tally
		if s == Test {
			t = &tally{} // training does not use it
		}
		in.items[s], in.listed[s] = list(d, s, t)
	}
	for _, s := range []string{Train, Val} {
		if len(d.Splits[s]) == 0 {
			continue
		}
		if err := in.split(ctx, s); err != nil {
			return Summary{}, nil, err
		}
	}
	if err := in.duplicates(ctx); err != nil {
		return Summary{}, nil, err
	}
	in.classes()
	in.caches()
	in.sum.Hash = in.fingerprint()
	return in.sum, in.tally.faults.sorted(), nil
}

// fingerprint is a SHA-256 over class names and, for each picture of train and val, its name, the size of its file and
// the content of its labels. Pixels are not in it: that would mean reading everything before every study.
func (in *inspector) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", in.data.Names)
	for _, k := range in.seen {
		size := int64(-1)
		if st, err := os.Stat(k.file); err == nil {
			size = st.Size()
		}
		fmt.Fprintf(h, "%s %s %d %x\n", k.split, filepath.Base(k.file), size, k.content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inspector holds what is known of the splits.
type inspector struct {
	data  Data
	opts  InspectOptions
	tally tally
	sum   Summary
	items map[string][]item // of each split, test too
	seen  []look            // of train and val

	listed map[string][]string // names of each split as listed
	told   map[string]bool     // files whose faults were told; a file may be in both splits
}

// look is what was seen of one picture and its labels.
type look struct {
	item
	split    string
	picture  picture
	labels   Labels
	has      bool // a label file
	size     int64
	changed  time.Time         // of the label file
	content  [sha256.Size]byte // of the label file
	labelErr string
}

// used says that the official code uses the picture.
func (k look) used() bool { return !k.picture.ignored() && !k.labels.Ignored && k.labelErr == "" }

// split looks at all files of a split.
func (in *inspector) split(ctx context.Context, name string) error {
	items := in.items[name]
	looks := make([]look, len(items))
	err := in.each(ctx, name, len(items), func(i int) { looks[i] = in.look(items[i], name) })
	if err != nil {
		return err
	}
	s := Split{Listed: len(looks), PerClass: make([]int, len(in.data.Names)), Cache: cachePath(in.data, name, items)}
	found := 0
	for _, k := range looks {
		in.tell(k)
		s.count(k, in.opts)
		if k.has && !k.picture.ignored() {
			found++
		}
	}
	in.sum.Splits[name] = s
	in.seen = append(in.seen, looks...)
	in.usable(name, s, found, looks)
	in.shared(looks)
	in.orphans(looks)
	return nil
}

// each calls f for 0 to n-1 on several cores, and reports the progress.
func (in *inspector) each(ctx context.Context, stage string, n int, f func(int)) error {
	g, inner := errgroup.WithContext(ctx)
	var next, done atomic.Int64
	told := make(chan struct{}, 1)
	for range min(in.opts.Workers, n) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if inner.Err() != nil {
					return context.Cause(inner)
				}
				f(i)
				in.progress(stage, int(done.Add(1)), n, told)
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// progress reports about a hundred times, and at the end; told lets one goroutine in.
func (in *inspector) progress(stage string, done, n int, told chan struct{}) {
	if in.opts.Progress == nil || done != n && done%max(1, n/100) != 0 {
		return
	}
	told <- struct{}{}
	in.opts.Progress(Progress{Stage: stage, Done: done, Total: n})
	<-told
}

// look reads one picture and its labels.
func (in *inspector) look(it item, split string) look {
	k := look{item: it, split: split, picture: checkPicture(it.file)}
	info, err := os.Stat(it.label)
	if err != nil || !info.Mode().IsRegular() {
		return k // to the official code a file that it cannot reach is none
	}
	k.has, k.size, k.changed = true, info.Size(), info.ModTime()
	b, err := os.ReadFile(it.label)
	if err != nil {
		k.labelErr = cause(err).Error()
		return k
	}
	k.content = sha256.Sum256(b)
	classes := len(in.data.Names)
	if in.opts.SingleClass {
		classes = 0 // any
	}
	k.labels = ParseLabels(b, classes)
	return k
}

// tell turns what was seen of a picture into faults. The official code looks at the picture first.
func (in *inspector) tell(k look) {
	if in.told[k.file] {
		return
	}
	in.told[k.file] = true
	if r, ok := fileRules[k.picture.rule]; ok {
		in.tally.add(r, k.file, k.picture.detail)
	}
	switch {
	case k.labelErr != "":
		in.tally.add(fileRules["label-unreadable"], k.label, k.labelErr)
	case !k.has && !k.picture.ignored():
		in.tally.add(fileRules["label-none"], k.file, "")
	}
	for _, f := range k.labels.Findings {
		where := k.label
		if f.Line > 0 {
			where += ":" + strconv.Itoa(f.Line)
		}
		in.tally.add(fileRules[f.Rule], where, f.Detail)
	}
}

// count adds a picture to its split.
func (s *Split) count(k look, opts InspectOptions) {
	if !k.used() {
		return
	}
	s.Images++
	s.perImage = append(s.perImage, len(k.labels.Rows))
	s.Boxes += len(k.labels.Rows)
	w, h := int64(k.picture.w), int64(k.picture.h)
	s.Raw += 3 * w * h
	if r := float64(opts.ImageSize) / float64(max(w, h, 1)); w > 0 {
		s.RAM += 3 * int64(float64(w)*r) * int64(float64(h)*r)
	}
	switch {
	case !k.has:
		s.Unlabelled++
	case len(k.labels.Rows) == 0:
		s.Empty++
	case k.labels.Polygons:
		s.PolyFiles++
	default:
		s.BoxFiles++
	}
	for _, r := range k.labels.Rows {
		if c := int(r.Class); opts.SingleClass && len(s.PerClass) > 0 {
			s.PerClass[0]++
		} else if c >= 0 && c < len(s.PerClass) {
			s.PerClass[c]++
		}
	}
}

// usable finds what keeps a split as a whole from serving.
func (in *inspector) usable(name string, s Split, found int, looks []look) {
	where := in.data.File
	if e := in.data.Splits[name]; len(e) > 0 {
		where = e[0].Path
	}
	add := func(kind, do, format string, args ...any) {
		in.tally.faults = append(in.tally.faults, one(Error, AreaData, kind, where, do, format, args...))
	}
	switch {
	case s.Listed == 0:
		if e := in.data.Splits[name]; len(e) > 0 && exists(where) {
			in.tally.add(ruleNoImages, where, name)
		}
	case s.Images == 0:
		add("none-used-"+name, "mend the faults of the files", "%s: all %d images are left out, so the official code stops", name, s.Listed)
	case found == 0 && name == Train:
		add("no-labels-train", labelHint(looks), "train: none of %d images has a label file, so the official code stops", s.Listed)
	case s.Boxes == 0 && name == Train:
		add("no-boxes-train", labelHint(looks), "train: no label file holds an object, so the official code stops")
	case s.Boxes == 0:
		add("no-labels-val", labelHint(looks), "%s: no image has an object, so validation fails with an IndexError as soon as nothing is detected, and can never score", name)
	}
	if s.Labels() == Mixed {
		few, n := "polygons", s.PolyFiles
		if s.BoxFiles < s.PolyFiles {
			few, n = "boxes", s.BoxFiles
		}
		l, what := Error, "with mosaic the official code loses boxes and gives others the wrong class when it composes both"
		if name != Train {
			l, what = Note, "validation reads both alike"
		}
		f := one(l, AreaData, "labels-mixed-"+name, where, "convert all label files to boxes, or all to polygons",
			"%s: %d label files hold boxes and %d polygons: %s", name, s.BoxFiles, s.PolyFiles, what)
		for _, k := range looks {
			if k.used() && len(k.labels.Rows) > 0 && k.labels.Polygons == (few == "polygons") && len(f.Places) < placesPerFault {
				f.Places = append(f.Places, k.label+": "+few)
			}
		}
		f.Count = n
		in.tally.faults = append(in.tally.faults, f)
	}
}

// labelHint says where labels are expected, and what to do if they lie elsewhere.
func labelHint(looks []look) string {
	if len(looks) == 0 {
		return ""
	}
	k := looks[0]
	if !strings.Contains(k.name, "/images/") {
		return fmt.Sprintf("put images below a folder that is named images and labels below one named labels beside it: labels of %s are looked for at %s", k.file, k.label)
	}
	return fmt.Sprintf("put the labels of %s at %s", k.file, k.label)
}

// shared finds pictures that have one label file between them.
func (in *inspector) shared(looks []look) {
	first := map[string]string{}
	for _, k := range looks {
		if other, ok := first[k.label]; ok && k.has {
			in.tally.add(ruleLabelShared, k.label, filepath.Base(other)+" and "+filepath.Base(k.file))
			continue
		}
		first[k.label] = k.file
	}
}

// orphans finds label files in the folders of labels that no picture has.
func (in *inspector) orphans(looks []look) {
	known := make(map[string]bool, len(looks))
	dirs := map[string]bool{}
	for _, k := range looks {
		known[k.label] = true
		if k.has && filepath.Dir(k.label) != filepath.Dir(k.file) {
			dirs[filepath.Dir(k.label)] = true // beside the pictures other text files are common
		}
	}
	// A folder that several splits share by list files holds the labels of all of them.
	for _, s := range splitNames {
		for _, it := range in.items[s] {
			if dirs[filepath.Dir(it.label)] {
				known[it.label] = true
			}
		}
	}
	var sorted []string
	for dir := range dirs {
		sorted = append(sorted, dir)
	}
	slices.Sort(sorted)
	for _, dir := range sorted {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			at := filepath.Join(dir, e.Name())
			if filepath.Ext(at) == ".txt" && e.Name() != "classes.txt" && !known[at] {
				in.tally.add(ruleLabelOrphan, at, "")
			}
		}
	}
}

// duplicates finds pictures with the same content: first those whose size and end agree, then by SHA-256 of all.
func (in *inspector) duplicates(ctx context.Context) error {
	type key struct {
		size int64
		tail uint64
	}
	groups := map[key][]int{}
	for i, k := range in.seen {
		if k.used() {
			g := key{k.picture.size, k.picture.tail}
			groups[g] = append(groups[g], i)
		}
	}
	var suspects []int
	for i, k := range in.seen {
		if k.used() && len(groups[key{k.picture.size, k.picture.tail}]) > 1 {
			suspects = append(suspects, i)
		}
	}
	sums := make([][sha256.Size]byte, len(suspects))
	fine := make([]bool, len(suspects))
	err := in.each(ctx, "duplicates", len(suspects), func(i int) {
		sums[i], fine[i] = contentOf(in.seen[suspects[i]].file)
	})
	if err != nil {
		return err
	}
	in.compare(suspects, sums, fine)
	return nil
}

// compare tells of equal contents within a split and across.
func (in *inspector) compare(suspects []int, sums [][sha256.Size]byte, fine []bool) {
	first := map[string]map[[sha256.Size]byte]string{Train: {}, Val: {}}
	for n, i := range suspects {
		k := in.seen[i]
		if !fine[n] {
			continue
		}
		if other, ok := first[k.split][sums[n]]; ok {
			in.tally.add(ruleImageTwice, k.file, "as "+other)
		} else {
			first[k.split][sums[n]] = k.file
		}
		if other, ok := first[Train][sums[n]]; ok && k.split == Val {
			in.sum.Overlap++
			what := "as " + other
			if other == k.file {
				what = "the same file"
			}
			in.tally.add(ruleOverlap, k.file, what)
		}
	}
	if at, ok := in.tally.index[ruleOverlap.kind]; ok {
		f := &in.tally.faults[at]
		f.What = fmt.Sprintf("%d of %d images of val have the same content as images of train: their score is not that of unseen images", in.sum.Overlap, in.sum.Splits[Val].Images)
	}
}

func contentOf(path string) (sum [sha256.Size]byte, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return sum, false
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, false
	}
	return [sha256.Size]byte(h.Sum(nil)), true
}

// classes finds classes without objects.
func (in *inspector) classes() {
	if in.opts.SingleClass {
		return
	}
	for _, x := range []struct {
		split string
		rule  rule
	}{{Train, ruleClassUntrain}, {Val, ruleClassUnseen}} {
		s := in.sum.Splits[x.split]
		if s.Boxes == 0 {
			continue
		}
		for c, n := range s.PerClass {
			if n == 0 {
				in.tally.add(x.rule, in.data.File, fmt.Sprintf("class %d, %s", c, in.data.Names[c]))
			}
		}
	}
}

// caches looks at the label caches of the official code.
func (in *inspector) caches() {
	train, val := in.sum.Splits[Train], in.sum.Splits[Val]
	if train.Cache != "" && train.Cache == val.Cache && !slices.EqualFunc(in.data.Splits[Train], in.data.Splits[Val], func(a, b Entry) bool { return a.Path == b.Path }) {
		in.tally.add(ruleCacheShared, train.Cache, "")
	}
	for _, name := range []string{Train, Val} {
		at := in.sum.Splits[name].Cache
		if at == "" {
			continue
		}
		if name == Val && at == train.Cache {
			continue
		}
		if err := writable(filepath.Dir(at)); err != nil {
			in.tally.add(ruleCacheFolder, filepath.Dir(at), cause(err).Error())
		}
		in.stale(name, at)
	}
}

// stale finds a cache that the official code takes for valid though labels are newer. It knows them by total size and
// names only.
func (in *inspector) stale(split, at string) {
	info, err := os.Stat(at)
	if err != nil {
		return
	}
	b, err := os.ReadFile(at)
	if err != nil || !bytes.Contains(b, []byte(in.cacheHash(split))) {
		return // it will be made anew
	}
	for _, k := range in.seen {
		if k.split == split && k.changed.After(info.ModTime()) {
			in.tally.add(ruleCacheStale, at, k.label+" is newer")
			return
		}
	}
}

// cacheHash is what the official code knows a split's files by: MD5 of their total size, and of all names.
func (in *inspector) cacheHash(split string) string {
	sizes := map[string]int64{}
	for _, k := range in.seen {
		if k.split == split {
			sizes[k.name] = k.size + k.picture.size
		}
	}
	h := md5.New()
	var total int64
	for _, name := range in.listed[split] {
		total += sizes[name]
	}
	io.WriteString(h, strconv.FormatInt(total, 10))
	for _, name := range in.listed[split] {
		io.WriteString(h, labelPath(name))
	}
	for _, name := range in.listed[split] {
		io.WriteString(h, name)
	}
	return hex.EncodeToString(h.Sum(nil))
}
