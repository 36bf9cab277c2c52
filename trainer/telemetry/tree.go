package telemetry

import (
	"os"
)

// EnvDir is set, to the trial's directory, in the environment of every process that a backend starts for a trial.
// Sampler finds the trial's processes by it.
const EnvDir = "MAPSWEEP_DIR"

// tree is the process table, arranged.
type tree struct {
	byPID    map[int]process
	children map[int][]int
}

func newTree(ps []process) tree {
	t := tree{byPID: make(map[int]process, len(ps)), children: map[int][]int{}}
	for _, p := range ps {
		t.byPID[p.pid] = p
		t.children[p.parent] = append(t.children[p.parent], p.pid)
	}
	return t
}

// below lists a process and its descendants.
func (t tree) below(pid int) []int {
	var all []int
	seen := map[int]bool{}
	for next := []int{pid}; len(next) > 0; {
		n := next[0]
		next = next[1:]
		if _, there := t.byPID[n]; !there || seen[n] {
			continue
		}
		seen[n] = true
		all = append(all, n)
		next = append(next, t.children[n]...)
	}
	return all
}

// ofTrials maps the directories of trials to the processes that this program has started for them. A process
// without the mark, started with an environment of its own, belongs to where its parent belongs.
func (t tree) ofTrials() map[string][]int {
	found := map[string][]int{}
	var walk func(pid int, dir string)
	seen := map[int]bool{}
	walk = func(pid int, dir string) {
		if seen[pid] {
			return
		}
		seen[pid] = true
		if mark := environment(pid)[EnvDir]; mark != "" {
			dir = mark
		}
		if dir != "" {
			found[dir] = append(found[dir], pid)
		}
		for _, c := range t.children[pid] {
			walk(c, dir)
		}
	}
	for _, pid := range t.children[os.Getpid()] {
		walk(pid, "")
	}
	return found
}
