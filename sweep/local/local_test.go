package local_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/sweep/local"
)

func TestProbe(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	self := local.Self()
	p := strings.Split(self, "/")
	if len(p) != 3 {
		t.Fatalf("Self() = %q, want host/pid/start", self)
	}
	st := strings.Split(p[2], ".")
	gone := deadProcess(t)
	for _, c := range []struct {
		name, worker string
		want         local.Life
	}{
		{"ourselves", self, local.Alive},
		{"recycled process number", fmt.Sprintf("%s/%s/1.%s.%s", p[0], p[1], st[1], st[2]), local.Dead},
		{"process gone", fmt.Sprintf("%s/%d/%s", p[0], gone, p[2]), local.Dead},
		{"before the last boot", fmt.Sprintf("%s/%s/%s.00000000.%s", p[0], p[1], st[0], st[2]), local.Dead},
		{"other container on this host", fmt.Sprintf("%s/%s/%s.%s.1", p[0], p[1], st[0], st[1]), local.Unknown},
		{"other host", "elsewhere/" + p[1] + "/" + p[2], local.Unknown},
		{"no worker name of ours", "somebody", local.Unknown},
		{"empty", "", local.Unknown},
	} {
		if got := local.Probe(c.worker); got != c.want {
			t.Errorf("%s: Probe(%q) = %v, want %v", c.name, c.worker, got, c.want)
		}
	}
}

// deadProcess is the number of a process that has just ended and been reaped.
func deadProcess(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skipf("cannot start a process: %v", err)
	}
	return cmd.ProcessState.Pid()
}

func TestPool(t *testing.T) {
	p, err := local.NewPool(2, 3, local.Devices{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, giveA, err := p.Acquire(t.Context(), local.Shared)
	if err != nil {
		t.Fatal(err)
	}
	b, _, _ := p.Acquire(t.Context(), local.Shared)
	if a.Slot == b.Slot || a.Devices[0] != "cpu" || a.Threads != 3 || p.Size() != 2 || p.Begin() != 2 {
		t.Errorf("leases %+v and %+v of a pool of %d", a, b, p.Size())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if _, _, err := p.Acquire(ctx, local.Shared); !errors.Is(err, why) {
		t.Errorf("third lease of two: %v, want the context's cause", err)
	}
	giveA()
	giveA() // twice must not make a second slot
	if _, _, err := p.Acquire(t.Context(), local.Shared); err != nil {
		t.Errorf("after release: %v", err)
	}
	if _, _, err := p.Acquire(ctx, local.Shared); err == nil {
		t.Error("releasing twice made a lease out of nothing")
	}
	if _, err := local.NewPool(-1, 0, local.Devices{}, nil); err == nil {
		t.Error("a negative pool was made")
	}
}

func TestPoolDefaults(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	p, _ := local.NewPool(0, 0, local.Devices{}, nil)
	l, _, _ := p.Acquire(t.Context(), local.Shared)
	if p.Size() != cores || l.Threads != 1 || l.Devices[0] != "cpu" {
		t.Errorf("default pool on %d cores: size %d, lease %+v", cores, p.Size(), l)
	}
	p, _ = local.NewPool(0, 0, local.Devices{GPUs: newBoard(1, 24000).list}, nil)
	l, _, _ = p.Acquire(t.Context(), local.Shared)
	if p.Size() != 1 || l.Threads != cores || l.Devices[0] != "cuda:0" {
		t.Errorf("default pool on one device: size %d, lease %+v", p.Size(), l)
	}
}

// Alone on the machine: waits for the others, and they for it.
func TestAloneOnHost(t *testing.T) {
	p, _ := local.NewPool(3, 1, local.Devices{}, nil)
	_, giveA := mustLease(t, p, local.Shared)
	alone := later(t, p, local.AloneOnHost)
	stillWaits(t, alone, "a lease alone on the machine beside another one")
	next := later(t, p, local.Shared)
	stillWaits(t, next, "a lease while someone waits for the machine")
	giveA()
	got := arrives(t, alone)
	if got.lease.Alone != local.AloneOnHost {
		t.Errorf("lease %+v", got.lease)
	}
	stillWaits(t, next, "a lease beside one that has the machine alone")
	got.release()
	arrives(t, next).release()
}

// Cores are shared out evenly, and nobody goes without one.
func TestShare(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	for trials, want := range map[int]int{0: 8, 1: 8, 2: 4, 3: 2, 8: 1, 20: 1} {
		if got := local.Share(trials); got != want {
			t.Errorf("%d trials: %d cores each, want %d", trials, got, want)
		}
	}
}
