package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// await waits for the program's end, calls sweep while its number cannot be another's yet, and reaps it.
func await(cmd *exec.Cmd, sweep func()) error {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	sweep()
	return cmd.Wait()
}

// KillLeftovers kills the processes whose environment has the entry NAME=value:
// children of an earlier run of a trial that was itself killed before it could clear
// up. It returns how many there were.
func KillLeftovers(entry string) int {
	killed := map[int]bool{}
	for range 100 { // again, for what a victim started meanwhile and until the victims are gone
		found := bearers(entry)
		if len(found) == 0 {
			break
		}
		for _, pid := range found {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed[pid] = true
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return len(killed)
}

// bearers lists the other processes whose environment has an entry.
func bearers(entry string) []int {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var found []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil {
			continue // another user's, or gone
		}
		if slices.Contains(strings.Split(string(env), "\x00"), entry) {
			found = append(found, pid)
		}
	}
	return found
}
