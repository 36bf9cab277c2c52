package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
	"github.com/mapsweep/mapsweep/trainer/native/kernels"
	"github.com/mapsweep/mapsweep/trainer/native/layers/cpu"
)

// TestThreads trains random networks and lets them evaluate on several threads, on every instruction set: everything that
// they compute has the bits of one thread.
func TestThreads(t *testing.T) {
	for _, set := range kernels.Supported() {
		t.Run(set, func(t *testing.T) {
			restore, err := kernels.Force(set)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			for seed := range uint64(4) {
				for name, define := range map[string]definition{"small": random(seed), "family": family(seed)} {
					batch := []int{1, 2, 5, 7}[seed]
					t.Run(fmt.Sprintf("%s %d, batch %d", name, seed, batch), func(t *testing.T) { onThreads(t, batch, define) })
				}
			}
		})
	}
}

func onThreads(t *testing.T, batch int, define definition) {
	alone := buildOn(t, 1, batch, all, define)
	alone.everything(t)
	want := alone.everything(t)
	for _, threads := range []int{2, 3, 5} {
		n := buildOn(t, threads, batch, sharing(threads%2), define) // all, or joined
		if n.d.Threads() != threads {
			t.Fatalf("%d threads, want %d", n.d.Threads(), threads)
		}
		n.everything(t)
		got := n.everything(t) // the second pass finds used buffers
		for what, v := range want {
			same(t, fmt.Sprintf("%s on %d threads and on 1", what, threads), got[what], v)
		}
		if threads%2 == 1 {
			n.padding(t)
		}
	}
}

// TestHalosOnTeam: halos are cleared by the team, which begins after the memory is planned, in a device for smaller images too.
func TestHalosOnTeam(t *testing.T) {
	n := buildOn(t, 3, 2, all, family(1))
	small, err := n.d.Resized(n.g)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := small.Close(); err != nil {
			t.Error(err)
		}
	}()
	for what, d := range map[string]*cpu.Device{"first": n.d, "resized": small} {
		vs := cpu.Cleared(d)
		if len(vs) == 0 {
			t.Errorf("%s: nothing is cleared", what)
		}
		for _, v := range vs {
			if v.Team.Threads() != 3 {
				t.Errorf("%s: %v is cleared by %d threads, want 3", what, v, v.Team.Threads())
			}
		}
	}
}

// everything makes a training pass and one of evaluation, and returns all that came out.
func (n *network) everything(t *testing.T) map[string][]float32 {
	t.Helper()
	l, g := n.run(t)
	all := map[string][]float32{"loss": {float32(l)}, "gradients": g, "statistics": slices.Clone(n.d.Stats())}
	eval, err := n.d.Compile(n.g.ForwardTo(append(slices.Clone(n.loss.Sets[0].Box), n.loss.Sets[0].Class...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := eval.Run(&graph.Pass{}); err != nil {
		t.Fatal(err)
	}
	h := n.d.Heads(n.loss.Sets[0]).Collect(n.image.N)
	all["boxes"], all["classes"] = slices.Clone(h.Box), slices.Clone(h.Class)
	return all
}
