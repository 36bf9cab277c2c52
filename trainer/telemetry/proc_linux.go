package telemetry

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is one line of the system's process table.
type process struct {
	pid, parent int
	start       string        // tick at which it began: with pid it is unique
	cpu         time.Duration // of itself and of those of its children that have ended and were waited for
	rssMiB      float64
}

// ticks per second of the counters in /proc: 100 on every Linux that Go runs on (USER_HZ).
const ticks = 100

// processes reads the process table.
func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	page := float64(os.Getpagesize()) / (1 << 20)
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has just ended
		}
		if p, ok := parseStat(pid, b, page); ok {
			all = append(all, p)
		}
	}
	return all
}

// parseStat reads /proc/<pid>/stat (proc(5)): parent is field 4, processor times 14 to 17, start 22, resident pages 24.
// The command name in brackets before them may hold anything.
func parseStat(pid int, b []byte, page float64) (process, bool) {
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 22 {
		return process{}, false
	}
	p := process{pid: pid, start: f[19]}
	p.parent, _ = strconv.Atoi(f[1])
	var sum int64
	for _, text := range f[11:15] {
		n, _ := strconv.ParseInt(text, 10, 64)
		sum += n
	}
	p.cpu = time.Duration(sum) * time.Second / ticks
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	p.rssMiB = float64(pages) * page
	return p, true
}

// environment reads what a process was started with; empty for another user's.
func environment(pid int) map[string]string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return nil
	}
	env := map[string]string{}
	for entry := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}
