//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// await waits for the program's end and calls sweep.
func await(cmd *exec.Cmd, sweep func()) error {
	err := cmd.Wait()
	sweep()
	return err
}

// KillLeftovers needs Linux's /proc; elsewhere it finds nothing.
func KillLeftovers(string) int { return 0 }
