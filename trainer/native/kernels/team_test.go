package kernels_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// TestTeam lets teams of several sizes copy views again and again, with pauses in which they fall asleep, and ends them while
// they are awake and while they sleep.
func TestTeam(t *testing.T) {
	from := kernels.NewView(5, 32, 30, 31)
	defer kernels.FreeView(from)
	for i := range from.N * from.CB * 16 {
		from.Set(i/32, i%32, i%30, i%31, float32(i+1))
	}
	for round := range 40 {
		threads := 1 + round%5
		team := newTeam(t, threads)
		if team.Threads() != threads {
			t.Fatalf("%d threads, want %d", team.Threads(), threads)
		}
		to := kernels.NewView(5, 32, 30, 31)
		to.Team = team
		for i := range 30 {
			kernels.Zero(to)
			kernels.Copy(from, to, false)
			for at, f := range to.Buffer() {
				if f != from.Buffer()[at] {
					t.Fatalf("round %d: float %d is %v, want %v", i, at, f, from.Buffer()[at])
				}
			}
			if i%10 == round%10 {
				time.Sleep(time.Duration(round%4) * 100 * time.Microsecond)
			}
		}
		if round%2 == 0 {
			time.Sleep(time.Millisecond)
		}
		team.Close()
		team.Close()
		kernels.FreeView(to)
	}
}

func newTeam(t *testing.T, threads int) *kernels.Team {
	t.Helper()
	team, err := kernels.NewTeam(threads)
	if err != nil {
		t.Fatal(err)
	}
	return team
}

// TestTeamThreads counts the threads of the process while a team exists and after it ended.
func TestTeamThreads(t *testing.T) {
	tasks := func() int {
		list, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Skipf("the system does not list threads: %v", err)
		}
		return len(list)
	}
	const threads = 20
	before := tasks()
	for range 50 {
		team := newTeam(t, threads)
		if n := tasks(); n < before+threads-1 {
			t.Fatalf("%d threads before and %d with a team of %d", before, n, threads)
		}
		team.Close()
	}
	// Go may have started a few of its own.
	if n := tasks(); n >= before+threads-1 {
		t.Errorf("%d threads before and %d after 50 teams of %d", before, n, threads)
	}
}

// TestTeamSleeps measures the processor time of an idle team.
func TestTeamSleeps(t *testing.T) {
	team := newTeam(t, 9)
	defer team.Close()
	to := kernels.NewView(9, 16, 40, 40)
	defer kernels.FreeView(to)
	to.Team = team
	kernels.Zero(to) // everyone is awake
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	before := processTime(t)
	const pause = 200 * time.Millisecond
	time.Sleep(pause)
	if used := processTime(t) - before; used > pause/2 {
		t.Errorf("an idle team of 9 used %v of processor time in %v", used, pause)
	}
}

func processTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
