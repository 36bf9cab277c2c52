package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Command is a program to run.
type Command struct {
	Args   []string      // program and arguments; at least the program
	Env    []string      // whole environment, NAME=value
	Dir    string        // working directory; "": this process's
	Output *os.File      // gets stdout and stderr; the program holds the file itself, so no reader is needed
	Grace  time.Duration // from SIGTERM to SIGKILL when the context ends
}

// Exit is how a program ended.
type Exit struct {
	Code    int            // exit status; -1 if a signal ended it
	Signal  syscall.Signal // the signal that ended it, or 0
	Stopped bool           // it was told to stop because the context ended
	Killed  bool           // it did not stop within the grace time and was killed
	Took    time.Duration
}

// OK says that the program ended by itself with exit status 0.
func (e Exit) OK() bool { return e.Code == 0 && !e.Stopped }

// String says it in words: "exit status 3", "signal 9 (killed)".
func (e Exit) String() string {
	if e.Signal != 0 {
		return fmt.Sprintf("signal %d (%v)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Run starts the program and waits for its end. When ctx ends, its process group gets
// SIGTERM and, after the grace time, SIGKILL. When the program has ended, whatever is
// left of its group is killed. The program gets SIGKILL, too, if this process dies
// (Linux). The error is that of a program that could not be started.
func Run(ctx context.Context, c Command) (Exit, error) {
	type answer struct {
		exit Exit
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		// The parent-death signal is tied to the thread that starts the program: it must outlive it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		exit, err := run(ctx, c)
		done <- answer{exit, err}
	}()
	a := <-done
	return a.exit, a.err
}

func run(ctx context.Context, c Command) (Exit, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, c.Dir, c.Output, c.Output
	cmd.SysProcAttr = attributes()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Exit{}, err
	}
	var exit Exit
	ended := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		exit.Stopped, exit.Killed = stop(ctx, cmd.Process.Pid, c.Grace, ended)
	}()
	err := await(cmd, func() {
		close(ended)
		<-stopped
		signalGroup(cmd.Process.Pid, syscall.SIGKILL)
	})
	exit.Took = time.Since(began)
	exit.Code = cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		exit.Signal = ws.Signal()
	}
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		return exit, fmt.Errorf("wait for program: %w", err)
	}
	return exit, nil
}

// stop waits for the end of ctx or of the program. In the first case it stops the group.
func stop(ctx context.Context, pid int, grace time.Duration, ended <-chan struct{}) (stopped, killed bool) {
	select {
	case <-ended:
		return false, false
	case <-ctx.Done():
	}
	signalGroup(pid, syscall.SIGTERM)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-ended:
		return true, false
	case <-t.C:
	}
	signalGroup(pid, syscall.SIGKILL)
	<-ended
	return true, true
}

// signalGroup signals every process of the group; it is no error if there is none.
func signalGroup(pid int, sig syscall.Signal) { _ = syscall.Kill(-pid, sig) }
