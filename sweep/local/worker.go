package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Life is what is known of another worker.
type Life int

// The three answers. Unknown leaves the decision to heartbeats.
const (
	Unknown Life = iota
	Alive
	Dead
)

// String names the answer.
func (l Life) String() string { return [...]string{"unknown", "alive", "dead"}[l] }

// Self names this process: host/pid/start. The start holds the kernel's start
// tick of the process, the boot and the PID namespace, so that a recycled process
// number, a reboot or a container is not mistaken for a living worker.
func Self() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	pid := os.Getpid()
	tick, _, err := procStat(pid)
	if err != nil {
		tick = "0" // no /proc: others judge by heartbeats
	}
	return fmt.Sprintf("%s/%d/%s.%s.%s", strings.ReplaceAll(host, "/", "_"), pid, tick, boot(), namespace())
}

// Probe says whether the worker of that name still lives. A worker on another
// host, or in another PID namespace of this one, cannot be seen: Unknown.
func Probe(worker string) Life {
	w := strings.Split(worker, "/")
	me := strings.Split(Self(), "/")
	if len(w) != 3 || w[0] != me[0] {
		return Unknown
	}
	start, mine := strings.Split(w[2], "."), strings.Split(me[2], ".")
	pid, err := strconv.Atoi(w[1])
	if err != nil || len(start) != 3 || start[0] == "0" || mine[0] == "0" {
		return Unknown
	}
	if start[1] != mine[1] {
		return Dead // before the last boot
	}
	if start[2] != mine[2] {
		return Unknown
	}
	tick, state, err := procStat(pid)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Dead
	case err != nil:
		return Unknown
	case tick != start[0], state == "Z", state == "X":
		return Dead
	}
	return Alive
}

// procStat reads a process's start tick and state letter (proc(5): fields 22 and 3 of stat).
// The command name before them is in brackets and may hold anything.
func procStat(pid int) (tick, state string, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", "", err
	}
	s := string(b)
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(f) < 20 {
		return "", "", fmt.Errorf("read /proc/%d/stat: %d fields", pid, len(f))
	}
	return f[19], f[0], nil
}

// boot is a short name of the running boot, or "0".
func boot() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(b) < 8 {
		return "0"
	}
	return string(b[:8])
}

// namespace is the number of our PID namespace, or "0".
func namespace() string {
	l, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "0"
	}
	return strings.Trim(strings.TrimPrefix(l, "pid:"), "[]")
}
