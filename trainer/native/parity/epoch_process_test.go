//go:build peers

package parity_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ticks is how many of the kernel's clock ticks make a second, which Linux fixes for programs.
const ticks = 100

// mark is a line of a program's standard output, and the clocks when it came.
type mark struct {
	text string
	wall time.Time
	cpu  float64 // seconds that the program and its children had used
}

// usage is what a run took: the most memory at a time, added up over its processes, in bytes. A page that several of them
// have counts in RSS for each, and in PSS once.
type usage struct {
	marks    []mark
	rss, pss int64
}

// observe runs a program to its end, on as many cores as it is to have threads, and takes samples of its processes.
func observe(t *testing.T, c *exec.Cmd, threads int) usage {
	t.Helper()
	cores := "0"
	if threads > 1 {
		cores = fmt.Sprintf("0-%d", threads-1)
	}
	c.Args = append([]string{"taskset", "-c", cores}, c.Args...)
	path, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("needs taskset, of util-linux")
	}
	c.Path = path
	c.Env = append(c.Env, fmt.Sprintf("OMP_NUM_THREADS=%d", threads), fmt.Sprintf("GOMAXPROCS=%d", threads))
	var said strings.Builder
	c.Stderr = &said
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var u usage
	stop := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() { u.rss, u.pss = sample(c.Process.Pid, stop) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		u.marks = append(u.marks, mark{lines.Text(), time.Now(), cpuOf(c.Process.Pid)})
	}
	close(stop)
	sampling.Wait()
	if err := c.Wait(); err != nil {
		text := said.String()
		t.Fatalf("%v: %v\n%s", c.Args, err, text[max(0, len(text)-4000):])
	}
	return u
}

// sample looks at a process and its descendants twice a second and returns their most memory. PSS is asked for every tenth
// time only: the kernel looks at every page for it.
func sample(pid int, stop <-chan struct{}) (rss, pss int64) {
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return rss, pss
		case <-every.C:
		}
		var r, p int64
		for _, id := range family(pid) {
			r += resident(id)
			if i%10 == 0 {
				p += proportional(id)
			}
		}
		rss, pss = max(rss, r), max(pss, p)
	}
}

// family lists a process and its descendants.
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, file := range threads {
			b, _ := os.ReadFile(file)
			for _, id := range strings.Fields(string(b)) {
				if n, err := strconv.Atoi(id); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// processStat has the fields of /proc/PID/stat from the third, the state, on; nil for a process that is gone.
func processStat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	s := string(b)
	return strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
}

// resident is the resident memory of a process in bytes.
func resident(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if f := strings.Fields(string(b)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// proportional is the same where a page that n processes share counts as 1/n.
func proportional(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			kib, _ := strconv.ParseInt(f[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// cpuOf is the processor time of a process and its descendants in seconds, with that of children that are gone.
func cpuOf(pid int) float64 {
	sum := 0
	for _, id := range family(pid) {
		if f := processStat(id); f != nil {
			for _, field := range f[11:15] { // user and system, its own and of children that it has waited for
				n, _ := strconv.Atoi(field)
				sum += n
			}
		}
	}
	return float64(sum) / ticks
}
