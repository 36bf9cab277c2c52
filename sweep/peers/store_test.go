//go:build peers

package peers_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep/tpe"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// storeSampler is the sampler of our side.
var storeSampler = tpe.New

const (
	storeRounds = 3                // in turns, because disks and neighbours are noisy: medians are told
	storeLimit  = 12 * time.Second // of a peer with a delete journal in one round; its rate falls with the trials, so that a cut is in its favour
	storeWhole  = 90 * time.Second // of a peer with a write-ahead log: long enough for all its trials
)

// storeSide is one column: a program with its setting of the file.
type storeSide struct {
	name    string
	rates   []storeRate
	run     func(t *testing.T, dir string) storeRate // 1,000 trials from empty
	history func(t *testing.T, dir string) storeRate // with 10,000 finished trials ahead
	pasts   []storeRate
}

// TestStore prints what ask, record and tell cost through SQLite on one disk. MAPSWEEP_PEERS_PYTHON names a Python with
// optuna 5.0.0 and rustuna 0.2.0 (.ci/peers.sh), MAPSWEEP_PEERS_DIR a directory on the disk (default: the temporary one).
func TestStore(t *testing.T) {
	python := os.Getenv("MAPSWEEP_PEERS_PYTHON")
	if python == "" {
		t.Skip("MAPSWEEP_PEERS_PYTHON names no Python with the peers: eval \"$(.ci/peers.sh)\"")
	}
	dir := t.TempDir()
	if named := os.Getenv("MAPSWEEP_PEERS_DIR"); named != "" {
		var err error
		dir, err = os.MkdirTemp(named, "store")
		check(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
	}
	sides := storeSides(python)
	for range storeRounds {
		for _, s := range sides {
			s.rates = append(s.rates, s.run(t, dir))
		}
	}
	for range storeRounds {
		for _, s := range sides {
			s.pasts = append(s.pasts, s.history(t, dir))
		}
	}
	printStore(sides)
	requireStore(t, sides)
	storeGrowth(t, dir)
	storeMemory(t, dir)
}

func storeSides(python string) []*storeSide {
	fresh := func(level sqlite.Durability) func(*testing.T, string) storeRate {
		return func(t *testing.T, dir string) storeRate {
			sub, err := os.MkdirTemp(dir, "ours")
			check(t, err)
			defer os.RemoveAll(sub)
			r := openRun(t, filepath.Join(sub, "x.db"), level)
			defer r.close()
			return r.measure(1000)
		}
	}
	filled := func(level sqlite.Durability) func(*testing.T, string) storeRate {
		return func(t *testing.T, dir string) storeRate {
			path := filepath.Join(dir, string(level)+".db")
			if _, err := os.Stat(path); err != nil { // the first round
				r := openRun(t, path, sqlite.Normal)
				r.prefill(10_000)
				r.close()
			}
			r := openRun(t, path, level)
			defer r.close()
			return r.measure(300)
		}
	}
	peer := func(name, setting string, n, prefill int) func(*testing.T, string) storeRate {
		limit := storeLimit
		switch {
		case prefill > 0:
			limit /= 2
		case setting != "default":
			limit = storeWhole
		}
		return func(t *testing.T, dir string) storeRate {
			return storePeer(t, python, dir, name, setting, n, prefill, limit)
		}
	}
	return []*storeSide{
		{name: "mapsweep full", run: fresh(sqlite.Full), history: filled(sqlite.Full)},
		{name: "mapsweep normal", run: fresh(sqlite.Normal), history: filled(sqlite.Normal)},
		{name: "Optuna 5.0 (delete journal, FULL: its default)", run: peer("optuna", "default", 1000, 0), history: peer("optuna", "default", 100, 10_000)},
		{name: "Optuna 5.0 (file set to WAL, connections to NORMAL)", run: peer("optuna", "wal-normal", 1000, 0), history: peer("optuna", "wal-normal", 100, 10_000)},
		{name: "rustuna 0.2 (delete journal, FULL: it has no setting)", run: peer("rustuna", "default", 1000, 0), history: peer("rustuna", "default", 200, 10_000)},
		{name: "rustuna 0.2 (file set to WAL, FULL)", run: peer("rustuna", "wal-full", 1000, 0), history: peer("rustuna", "wal-full", 200, 10_000)},
	}
}

// rate is the median of a side's rounds, in trials per second.
func (s *storeSide) rate() float64 {
	var all []float64
	for _, r := range s.rates {
		all = append(all, r.perSecond())
	}
	return median(all)
}

// suggestions is the median of the rounds with a history of all sides given, suggestions per second.
func suggestions(sides ...*storeSide) float64 {
	var all []float64
	for _, s := range sides {
		for _, r := range s.pasts {
			all = append(all, r.suggestions())
		}
	}
	return median(all)
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

func printStore(sides []*storeSide) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nask, one value, tell; six floats, TPE, %d rounds in turns, median (all)\n\n", storeRounds)
	fmt.Fprintf(&b, "| program and file | trials a second | trials | commits a trial | processor ms a trial | full is faster by | normal is faster by | suggestions a second at 10,000 |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range sides {
		var all, ns []string
		var cpu []float64
		for _, r := range s.rates {
			all, ns = append(all, fmt.Sprintf("%.4g", r.perSecond())), append(ns, fmt.Sprint(r.Trials))
			cpu = append(cpu, 1000*r.CPU/float64(r.Trials))
		}
		commits := "as above"
		if c := s.rates[0].Commits; c > 0 {
			commits = fmt.Sprintf("%.1f", c)
		}
		fmt.Fprintf(&b, "| %s | %.4g (%s) | %s | %s | %.2f | %.1f | %.1f | %.4g |\n", s.name, s.rate(), strings.Join(all, ", "), strings.Join(slices.Compact(ns), ", "),
			commits, median(cpu), sides[0].rate()/s.rate(), sides[1].rate()/s.rate(), suggestions(s))
	}
	fmt.Println(b.String())
}

// requireStore checks the promises of docs/BENCHMARKS.md.
func requireStore(t *testing.T, sides []*storeSide) {
	least := func(what string, got, want float64) {
		t.Helper()
		fmt.Printf("%s: %.3g, at least %g\n", what, got, want)
		if !(got >= want) {
			t.Errorf("%s: %.3g, less than %g", what, got, want)
		}
	}
	full, normal, optuna, optunaNormal, rustuna, rustunaWAL := sides[0], sides[1], sides[2], sides[3], sides[4], sides[5]
	least("normal against Optuna at WAL and NORMAL", normal.rate()/optunaNormal.rate(), 20)
	least("normal against rustuna", normal.rate()/rustuna.rate(), 5)
	least("full against Optuna", full.rate()/optuna.rate(), 8)
	least("full against rustuna", full.rate()/rustuna.rate(), 3)
	fmt.Printf("full against rustuna on a file set to WAL: %.3g (nothing promised)\n", full.rate()/rustunaWAL.rate())
	ours := suggestions(full, normal) // the durability is no part of a suggestion: all six rounds are of one kind
	least("suggestions at 10,000 against Optuna", ours/max(suggestions(optuna), suggestions(optunaNormal)), 50)
	least("suggestions at 10,000 against rustuna", ours/max(suggestions(rustuna), suggestions(rustunaWAL)), 1)
}

// storeGrowth runs one study to 20,000 trials and compares the processor time with n log n.
func storeGrowth(t *testing.T, dir string) {
	r := openRun(t, filepath.Join(dir, "growth.db"), sqlite.Normal)
	defer r.close()
	began, cpu := time.Now(), processor()
	var at []string
	var first, last float64
	n := 0
	for _, mark := range []int{1000, 2000, 5000, 10_000, 20_000} {
		for ; n < mark; n++ {
			r.one()
		}
		last = (processor() - cpu).Seconds()
		at = append(at, fmt.Sprintf("%d: %.1f s (%.1f s on the clock)", mark, last, time.Since(began).Seconds()))
		if first == 0 {
			first = last
		}
	}
	limit := 20 * math.Log(20_000) / math.Log(1000) // of n log n, from 1,000 to 20,000
	fmt.Printf("\ngrowth, processor time of the whole study: %s\nfrom 1,000 to 20,000 trials: times %.1f, exponent %.2f; n log n is times %.1f, exponent %.2f\n",
		strings.Join(at, ", "), last/first, math.Log(last/first)/math.Log(20), limit, math.Log(limit)/math.Log(20))
	if last/first > 1.1*limit { // a tenth for the noise of the machine
		t.Errorf("the cost grew %.1f times, n log n is %.1f times", last/first, limit)
	}
}

// processor is the processor time of this process.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// storeMemory opens a study of 100,000 finished trials and asks for one more: store, driver and sampler hold all of them then.
func storeMemory(t *testing.T, dir string) {
	const n, most = 100_000, 500e6
	path := filepath.Join(dir, "memory.db")
	r := openRun(t, path, sqlite.Normal)
	began := time.Now()
	r.prefill(n)
	filled := time.Since(began)
	r.close()
	r = nil
	before := heap()
	r = openRun(t, path, sqlite.Normal)
	defer r.close()
	began = time.Now()
	r.one()
	first := time.Since(began)
	began = time.Now()
	const more = 20
	for range more {
		r.one()
	}
	each := time.Since(began) / more
	held := heap() - before
	st, err := os.Stat(path)
	check(t, err)
	fmt.Printf("\n%d trials: %.0f MB of heap in store, driver and sampler, file %.0f MB; written at %.0f trials a second, opened with the first suggestion in %.1f s, then %v a trial\n",
		n, held/1e6, float64(st.Size())/1e6, n/filled.Seconds(), first.Seconds(), each.Round(time.Microsecond))
	if held > most {
		t.Errorf("%.0f MB, more than %.0f", held/1e6, most/1e6)
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
