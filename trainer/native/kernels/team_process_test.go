package kernels_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/native/kernels"
)

// childThreads in the environment makes TestTeamChild work with a team of so many threads.
const childThreads = "MAPSWEEP_TEST_CHILD_THREADS"

// TestTeamChild is what the processes of TestTeamStartsProcesses do: they have a team of their own.
func TestTeamChild(t *testing.T) {
	var threads int
	if _, err := fmt.Sscan(os.Getenv(childThreads), &threads); err != nil {
		t.Skip("runs in a process that TestTeamStartsProcesses starts")
	}
	team := newTeam(t, threads)
	defer team.Close()
	copies(t, team, func(round int) bool { return round < 20 })
	if !t.Failed() {
		fmt.Println("child copied")
	}
}

// copies lets a team copy views, and looks at each copy, for as long as more says so; it returns how many it made.
func copies(t *testing.T, team *kernels.Team, more func(round int) bool) (round int) {
	t.Helper()
	from, to := kernels.NewView(5, 32, 20, 21), kernels.NewView(5, 32, 20, 21)
	defer kernels.FreeView(from)
	defer kernels.FreeView(to)
	to.Team = team
	for i := range from.N * from.CB * kernels.Lanes {
		for p := range from.H * from.W {
			from.Set(i/32, i%32, p/from.W, p%from.W, float32(i+p+1))
		}
	}
	for ; more(round); round++ {
		kernels.Zero(to)
		kernels.Copy(from, to, false)
		for i, f := range to.Buffer() {
			if f != from.Buffer()[i] {
				t.Errorf("round %d: float %d is %v, want %v", round, i, f, from.Buffer()[i])
				return round
			}
		}
		if round%16 == 15 {
			time.Sleep(time.Millisecond) // the helpers fall asleep
		}
	}
	return round
}

// Processes are started, and signals arrive, while helpers work, look for work and sleep: a program that is started runs, with
// a team of its own and without the signal mask of the helpers; what it writes and its exit status come back; the team here goes on.
func TestTeamStartsProcesses(t *testing.T) {
	if os.Getenv(childThreads) != "" {
		t.Skip("one generation is enough")
	}
	signals := make(chan os.Signal, 100)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	asleep := newTeam(t, 3) // has never worked
	defer asleep.Close()
	busy := newTeam(t, 4)
	defer busy.Close()
	var stop atomic.Bool
	done := make(chan int)
	go func() { done <- copies(t, busy, func(int) bool { return !stop.Load() }) }()

	const children = 6
	for i := range children {
		c := exec.Command(os.Args[0], "-test.run=^TestTeamChild$")
		c.Env = append(os.Environ(), fmt.Sprint(childThreads, "=", 1+i%3))
		out, err := c.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("child copied")) {
			t.Errorf("child %d: %v\n%s", i, err, out)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		select {
		case <-signals:
		case <-time.After(10 * time.Second):
			t.Fatal("a signal did not arrive")
		}
	}
	status := exec.Command("sh", "-c", "kill -TERM $$; sleep 10; exit 3") // a child that blocks SIGTERM would exit with 3
	err := status.Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("a child that ends itself by SIGTERM: %v", err)
	}
	stop.Store(true)
	if n := <-done; n == 0 {
		t.Error("nothing was copied meanwhile")
	}
}
