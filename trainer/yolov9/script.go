package yolov9

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

// The training scripts: each has its own loss, and fits models with one kind of head.
const (
	scriptSingle = "train.py"
	scriptDual   = "train_dual.py"
	scriptTriple = "train_triple.py"
)

// scan has the labels of the job's data set scanned once before trials start side by side: each of them would
// write the same cache file beside the labels, without a lock. A failure counts for all trials.
func (b *Backend) scan(ctx context.Context, r *run) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err, done := b.scanned[r.source]; done {
		return err
	}
	unlock, err := lockFile(ctx, filepath.Join(filepath.Dir(r.job.Dir), "scan.lock")) // of the study: other processes run it, too
	if err != nil {
		return fmt.Errorf("wait for the scan of labels: %w", err)
	}
	defer unlock()
	out := r.attempt + ".scan.json"
	p := plan{Mode: "cache", Checkout: b.cfg.Checkout, Script: r.script, ConfigDir: filepath.Join(r.job.Dir, configName), Data: r.job.Data, Out: out}
	path := r.attempt + ".scan-plan.json"
	if err := p.write(path); err != nil {
		return err
	}
	fmt.Fprintf(r.log, "mapsweep: scanning the labels of %s\n", r.source)
	exit, err := process.Run(ctx, process.Command{Args: []string{r.python, r.start, path}, Env: b.environment(r.job), Dir: b.cfg.Checkout, Output: r.log, Grace: grace})
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("scan labels: %w", context.Cause(ctx))
	case err != nil:
		err = fmt.Errorf("scan labels: %w", err)
	case !exit.OK():
		f := r.failed(exit)
		f.Reason = "scan of the labels: " + f.Reason
		err = f
	}
	var f *trainer.Failure
	if errors.As(err, &f) && slices.Contains([]string{trials.ClassData, trials.ClassPackage, trials.ClassUsage, trials.ClassScript}, f.Class) || err == nil {
		b.scanned[r.source] = err // what else went wrong may go well next time
	}
	if err != nil {
		return err
	}
	r.begin, _ = r.log.Seek(0, 2)
	return nil
}

// lockFile waits for an exclusive lock that the kernel releases when this process dies.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if err := pause(ctx, pollEvery); err != nil {
			f.Close()
			return nil, err
		}
	}
}
