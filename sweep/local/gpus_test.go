package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/telemetry"
)

// board is a set of devices that a test changes while leases are held.
type board struct {
	mu   sync.Mutex
	gpus []telemetry.GPU
}

func newBoard(n int, total int64) *board {
	b := &board{}
	for i := range n {
		b.gpus = append(b.gpus, telemetry.GPU{Index: i, UUID: fmt.Sprintf("GPU-test-%d", i), Name: "test", TotalMiB: total, FreeMiB: total - 300, Fake: true})
	}
	return b
}

func (b *board) list() ([]telemetry.GPU, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.gpus), nil
}

// uses sets the memory in use on a device.
func (b *board) uses(i int, mib int64, pids ...int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gpus[i].FreeMiB = b.gpus[i].TotalMiB - mib
	b.gpus[i].Processes = nil
	for _, p := range pids {
		b.gpus[i].Processes = append(b.gpus[i].Processes, telemetry.Process{PID: p, MiB: mib})
	}
}

type got struct {
	lease   local.Lease
	release func()
	err     error
}

func mustPool(t *testing.T, parallel int, d local.Devices) *local.Pool {
	t.Helper()
	p, err := local.NewPool(parallel, 1, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustLease(t *testing.T, p *local.Pool, how local.Alone) (local.Lease, func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	l, release, err := p.Acquire(ctx, how)
	if err != nil {
		t.Fatalf("no lease: %v", err)
	}
	return l, release
}

// later asks for a lease in the background.
func later(t *testing.T, p *local.Pool, how local.Alone) <-chan got {
	c := make(chan got, 1)
	go func() {
		l, release, err := p.Acquire(t.Context(), how)
		c <- got{l, release, err}
	}()
	return c
}

func stillWaits(t *testing.T, c <-chan got, what string) {
	t.Helper()
	select {
	case g := <-c:
		t.Fatalf("%s was given: %+v %v", what, g.lease, g.err)
	case <-time.After(300 * time.Millisecond):
	}
}

func arrives(t *testing.T, c <-chan got) got {
	t.Helper()
	select {
	case g := <-c:
		if g.err != nil {
			t.Fatal(g.err)
		}
		return g
	case <-time.After(10 * time.Second):
		t.Fatal("no lease within ten seconds")
		return got{}
	}
}

func TestSelect(t *testing.T) {
	three := newBoard(3, 24000).list
	none := func() ([]telemetry.GPU, error) { return nil, fmt.Errorf("%w: no driver", telemetry.ErrNone) }
	broken := func() ([]telemetry.GPU, error) { return nil, errors.New("cannot be read") }
	for _, c := range []struct {
		name, want string
		per        int
		visible    string // "-": not set
		source     telemetry.Source
		devices    string
		err        string
	}{
		{"auto", "auto", 0, "-", three, "cuda:0 cuda:1 cuda:2", ""},
		{"nothing said", "", 0, "-", three, "cuda:0 cuda:1 cuda:2", ""},
		{"cpu", "cpu", 0, "-", three, "", ""},
		{"cuda", "cuda", 2, "-", three, "cuda:0 cuda:1 cuda:2", ""},
		{"one", "cuda:1", 0, "-", three, "cuda:1", ""},
		{"list", "cuda:0,2", 0, "-", three, "cuda:0 cuda:2", ""},
		{"list, long", "cuda:2, cuda:1", 0, "-", three, "cuda:2 cuda:1", ""},
		{"auto without a driver", "auto", 0, "-", none, "", ""},
		{"cuda without a driver", "cuda", 0, "-", none, "", "no driver"},
		{"gpus without a driver", "auto", 1, "-", none, "", "no driver"},
		{"auto, list unreadable", "auto", 0, "-", broken, "", "cannot be read"},
		{"one that is not there", "cuda:5", 0, "-", three, "", "there is no cuda:5 here, only cuda:0, cuda:1, cuda:2"},
		{"more than there are", "auto", 4, "-", three, "", "4 GPUs"},
		{"twice", "cuda:1,1", 0, "-", three, "", "twice"},
		{"no number", "cuda:x", 0, "-", three, "", "no number"},
		{"nonsense", "gpu", 0, "-", three, "", "write auto, cpu"},
		{"hidden", "auto", 0, "2,0", three, "cuda:0 cuda:2", ""},
		{"hidden by name", "auto", 0, "GPU-test-1", three, "cuda:1", ""},
		{"hidden, list ends at what is not there", "auto", 0, "1,7,2", three, "cuda:1", ""},
		{"all hidden", "auto", 0, "", three, "", ""},
		{"asks for a hidden one", "cuda:0", 0, "1", three, "", "there is no cuda:0 here, only cuda:1"},
		{"all hidden, cuda", "cuda", 0, "-1", three, "", `CUDA_VISIBLE_DEVICES is "-1"`},
		{"part of a GPU", "cuda", 0, "MIG-1", three, "", "MIG"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CUDA_VISIBLE_DEVICES", c.visible)
			if c.visible == "-" {
				os.Unsetenv("CUDA_VISIBLE_DEVICES")
			}
			list, err := local.Select(c.source, c.want, c.per)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !errors.Is(err, trainer.ErrNoDevice) {
					t.Fatalf("error %v, want ErrNoDevice with %q", err, c.err)
				}
				return
			}
			var names []string
			for _, g := range list {
				names = append(names, g.Device())
			}
			if got := strings.Join(names, " "); err != nil || got != c.devices {
				t.Errorf("got %q, %v; want %q", got, err, c.devices)
			}
		})
	}
}

// Eight devices, trials of one and of several GPUs: no device is ever leased twice at once.
func TestNeverTwice(t *testing.T) {
	for _, per := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("%d each", per), func(t *testing.T) {
			p := mustPool(t, 0, local.Devices{GPUs: newBoard(8, 24000).list, PerTrial: per, Dir: t.TempDir()})
			if p.Size() != 8/per {
				t.Fatalf("%d at once", p.Size())
			}
			all, giveBack := map[string]bool{}, []func(){}
			for range p.Size() {
				l, release := mustLease(t, p, local.Shared)
				giveBack = append(giveBack, release)
				for _, d := range l.Devices {
					all[d] = true
				}
			}
			if len(all) != p.Size()*per {
				t.Errorf("%d leases of %d devices hold %d", p.Size(), per, len(all))
			}
			for _, release := range giveBack {
				release()
			}
			var mu sync.Mutex
			busy := map[string]bool{}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range 6 {
						l, release, err := p.Acquire(t.Context(), local.Shared)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						if len(l.Devices) != per || len(l.GPUs) != per {
							t.Errorf("lease %+v, want %d devices", l, per)
						}
						for _, d := range l.Devices {
							if busy[d] {
								t.Errorf("%s is leased twice", d)
							}
							busy[d] = true
						}
						mu.Unlock()
						time.Sleep(5 * time.Millisecond)
						mu.Lock()
						for _, d := range l.Devices {
							delete(busy, d)
						}
						mu.Unlock()
						release()
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestPacking(t *testing.T) {
	for _, c := range []struct {
		name     string
		parallel int
		pack     bool
		total    int64
		peak     int64
		most     int // on one device
	}{
		{"not known yet", 8, true, 24000, 0, 1},
		{"three fit", 8, true, 24000, 7000, 3},                    // 3 x 7000 x 1.1 + 512 = 23612
		{"a little more, and two fit", 8, true, 24000, 7200, 2},   // 3 x 7200 x 1.1 + 512 = 24272
		{"one fills it", 8, true, 24000, 13000, 1},                //
		{"the study's own number", 2, true, 24000, 1000, 2},       //
		{"nothing said: at most four", 0, true, 80000, 1000, 4},   //
		{"packing not wanted", 8, false, 80000, 1000, 1},          //
		{"needs nothing to speak of", 6, true, 24000, 1, 6},       //
		{"never more than sixteen", 100, true, 1000000, 1000, 16}, //
		{"more than the device has", 8, true, 24000, 30000, 1},    // alone it may try
		{"reserve counts", 8, true, 24000, 10700, 1},              // 2 x 10700 x 1.1 + 512 = 24052
		{"exactly", 8, true, 2*10000*11/10 + 512 + 300, 10000, 2}, // 300 are in use by the driver
		{"not with what others hold", 8, true, 22000, 10000, 1},   //
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustPool(t, c.parallel, local.Devices{GPUs: newBoard(1, c.total).list, Pack: c.pack})
			if c.peak > 0 {
				p.Learn(c.peak)
			}
			var all []func()
			for range c.most {
				_, release := mustLease(t, p, local.Shared)
				all = append(all, release)
			}
			if c.parallel == 0 || c.most < c.parallel {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				if l, _, err := p.Acquire(ctx, local.Shared); err == nil {
					t.Errorf("one more than %d was packed: %+v", c.most, l)
				}
			}
			for _, r := range all {
				r()
			}
		})
	}
}

// Packing spreads over devices before it doubles up, and leaves out a device whose memory others took meanwhile.
func TestPackingSpreads(t *testing.T) {
	b := newBoard(2, 24000)
	p := mustPool(t, 8, local.Devices{GPUs: b.list, Pack: true})
	if p.Begin() != 2 || p.Size() != 8 {
		t.Errorf("begins with %d of %d", p.Begin(), p.Size())
	}
	p.Learn(5000)
	count := map[string]int{}
	for range 4 {
		l, _ := mustLease(t, p, local.Shared)
		count[l.Devices[0]]++
	}
	if count["cuda:0"] != 2 || count["cuda:1"] != 2 {
		t.Errorf("four leases on two devices: %v", count)
	}
	b.uses(0, 20000) // more than our two: another program
	l, _ := mustLease(t, p, local.Shared)
	if l.Devices[0] != "cuda:1" {
		t.Errorf("lease on %s, which has no room left", l.Devices[0])
	}
}

func TestAloneOnGPU(t *testing.T) {
	b := newBoard(2, 24000)
	p := mustPool(t, 8, local.Devices{GPUs: b.list, Pack: true, Dir: t.TempDir()})
	p.Learn(2000)
	var release []func()
	for range 4 {
		_, r := mustLease(t, p, local.Shared)
		release = append(release, r)
	}
	alone := later(t, p, local.AloneOnGPU)
	stillWaits(t, alone, "an alone lease on devices that are in use")
	// Newcomers must not keep the device from it for ever: its target takes no more of them.
	release[0]()
	release[1]()
	release[2]()
	release[3]()
	got := arrives(t, alone)
	other, giveOther := mustLease(t, p, local.Shared)
	if other.Devices[0] == got.lease.Devices[0] || got.lease.Alone != local.AloneOnGPU {
		t.Errorf("alone on %v, and %v beside it", got.lease.Devices, other.Devices)
	}
	got.release()
	giveOther()
	b.uses(0, 9000) // not to be foreign: cuda:0 has less free memory, of a program that is not there any more
	b.uses(1, 400)
	l, r := mustLease(t, p, local.AloneOnGPU)
	defer r()
	if l.Devices[0] != "cuda:1" {
		t.Errorf("alone on %v, cuda:1 has more free memory", l.Devices)
	}
}

// Newcomers are kept off the device that an alone lease waits for, for as long as it takes.
func TestAloneIsNotStarved(t *testing.T) {
	p := mustPool(t, 4, local.Devices{GPUs: newBoard(1, 24000).list, Pack: true})
	p.Learn(2000)
	_, first := mustLease(t, p, local.Shared)
	alone := later(t, p, local.AloneOnGPU)
	stillWaits(t, alone, "an alone lease beside another")
	next := later(t, p, local.Shared)
	stillWaits(t, next, "a newcomer, while someone waits to be alone")
	first()
	g := arrives(t, alone)
	stillWaits(t, next, "a newcomer beside an alone lease")
	g.release()
	arrives(t, next).release()
}

// Two who want several devices alone do not wait for each other.
func TestTwoAlone(t *testing.T) {
	p := mustPool(t, 2, local.Devices{GPUs: newBoard(4, 24000).list, PerTrial: 2})
	_, a := mustLease(t, p, local.Shared)
	_, b := mustLease(t, p, local.Shared)
	a()
	b()
	one, two := later(t, p, local.AloneOnGPU), later(t, p, local.AloneOnGPU)
	arrives(t, one).release()
	arrives(t, two).release()
}

// A device is leased again when its memory is back, and after a while in any case.
func TestWaitsForMemory(t *testing.T) {
	b := newBoard(1, 24000)
	p := mustPool(t, 1, local.Devices{GPUs: b.list, Settle: time.Second})
	_, release := mustLease(t, p, local.Shared)
	b.uses(0, 15000, 4711)
	release()
	next := later(t, p, local.Shared)
	stillWaits(t, next, "a device whose memory is still in use")
	b.uses(0, 310)
	arrives(t, next).release()

	_, release = mustLease(t, p, local.Shared)
	b.uses(0, 15000, 4711)
	release()
	began := time.Now()
	arrives(t, later(t, p, local.Shared)).release()
	if d := time.Since(began); d < 900*time.Millisecond || d > 5*time.Second {
		t.Errorf("waited %v for memory that does not come back, want the second that was set", d)
	}
}

func TestForeign(t *testing.T) {
	b := newBoard(2, 24000)
	b.uses(0, 12000, 4711)
	d := local.Devices{GPUs: b.list, Dir: t.TempDir()}
	p := mustPool(t, 2, d)
	l, release := mustLease(t, p, local.Shared)
	if l.Devices[0] != "cuda:1" {
		t.Errorf("leased %v, which another program uses", l.Devices)
	}
	stillWaits(t, later(t, p, local.Shared), "a device that another program uses, while there is one of ours,")
	release()

	d.Want = "cuda:0" // by its name: it is meant
	if l, _ := mustLease(t, mustPool(t, 1, d), local.Shared); l.Devices[0] != "cuda:0" {
		t.Errorf("leased %v", l.Devices)
	}
	both := newBoard(2, 24000)
	both.uses(0, 12000, 4711)
	both.uses(1, 8000, 4712)
	if l, _ := mustLease(t, mustPool(t, 1, local.Devices{GPUs: both.list}), local.Shared); l.Devices[0] != "cuda:1" {
		t.Errorf("leased %v, the other one has more free memory", l.Devices)
	}
}

// A GPU that fails while a study runs is not leased again; the others go on.
func TestGone(t *testing.T) {
	b := newBoard(2, 24000)
	p := mustPool(t, 2, local.Devices{GPUs: b.list})
	b.mu.Lock()
	b.gpus = b.gpus[1:]
	b.mu.Unlock()
	if l, _ := mustLease(t, p, local.Shared); l.Devices[0] != "cuda:1" {
		t.Errorf("leased %v, which is gone", l.Devices)
	}
	b.mu.Lock()
	b.gpus = nil
	b.mu.Unlock()
	if _, _, err := p.Acquire(t.Context(), local.Shared); err == nil || !strings.Contains(err.Error(), "only 0 of the 1") {
		t.Errorf("no device left: %v", err)
	}
}

// TestOtherProcess is the other process of the tests below: it leases and holds until it is killed.
func TestOtherProcess(t *testing.T) {
	dir := os.Getenv("LEASE_DIR")
	if dir == "" {
		t.Skip("runs as a child of TestKilled only")
	}
	p, err := local.NewPool(4, 1, local.Devices{GPUs: newBoard(2, 24000).list, Dir: dir, Pack: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("LEASE_PEAK") != "" {
		p.Learn(5000)
	}
	l, _, err := p.Acquire(t.Context(), local.Shared) // nobody refers to the lease any more, which must not end it
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	fmt.Printf("leased %s\n", l.Devices[0])
	time.Sleep(time.Minute)
}

// otherProcess starts a process that holds a device.
func otherProcess(t *testing.T, dir string, env ...string) (device string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOtherProcess$", "-test.v")
	cmd.Env = append(os.Environ(), append(env, "LEASE_DIR="+dir)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if d, ok := strings.CutPrefix(lines.Text(), "leased "); ok {
			return d, kill
		}
	}
	t.Fatal("the other process leased nothing")
	return "", nil
}

// Another process's devices are not leased, and kill -9 gives them back.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	theirs, kill := otherProcess(t, dir)
	p := mustPool(t, 0, local.Devices{GPUs: newBoard(2, 24000).list, Dir: dir})
	l, release := mustLease(t, p, local.Shared)
	defer release()
	if l.Devices[0] == theirs {
		t.Fatalf("both processes lease %s", theirs)
	}
	next := later(t, p, local.Shared)
	stillWaits(t, next, "a device of another process")
	kill()
	g := arrives(t, next)
	defer g.release()
	if g.lease.Devices[0] != theirs {
		t.Errorf("leased %v, want %s back", g.lease.Devices, theirs)
	}
}

// Processes that know what their trials need share a device, and count each other's trials.
func TestPackingAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		otherProcess(t, dir, "LEASE_PEAK=1")
	}
	p := mustPool(t, 32, local.Devices{GPUs: newBoard(2, 24000).list, Dir: dir, Pack: true})
	p.Learn(5000) // 4 x 5000 x 1.1 + 512 = 22512: four on each, two of the eight are theirs
	for range 6 {
		mustLease(t, p, local.Shared)
	}
	stillWaits(t, later(t, p, local.Shared), "a ninth trial on two devices with room for four each")
}

func TestRuntimeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locks")
	t.Setenv(local.EnvRuntimeDir, dir)
	if got, err := local.RuntimeDir(); err != nil || got != dir {
		t.Fatalf("%s, %v", got, err)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(local.EnvRuntimeDir, file)
	if _, err := local.RuntimeDir(); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// A cleared folder of locks does not make two holders: what is held under a name that is gone does not count.
func TestClearedFolder(t *testing.T) {
	dir := t.TempDir()
	d := local.Devices{GPUs: newBoard(1, 24000).list, Dir: dir}
	_, release := mustLease(t, mustPool(t, 1, d), local.Shared)
	release()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := mustPool(t, 1, d).Acquire(t.Context(), local.Shared); err == nil {
		t.Error("leased without a folder for the lock")
	}
}
