//go:build !linux

package telemetry

import "time"

// process is one line of the system's process table.
type process struct {
	pid, parent int
	start       string
	cpu         time.Duration
	rssMiB      float64
}

// processes needs Linux's /proc; elsewhere nothing is known of trials' processes.
func processes() []process { return nil }

func environment(int) map[string]string { return nil }
