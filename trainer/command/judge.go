package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

// sign is something in the end of a log that tells why a program failed.
type sign struct {
	class string
	text  *regexp.Regexp
	words string
}

// signs in the order in which they are looked for: the first that fits counts.
var signs = []sign{
	{trials.ClassHostMemory, regexp.MustCompile(`(?i)\bMemoryError\b|std::bad_alloc|cannot allocate memory|unable to allocate .* for an array|java\.lang\.OutOfMemoryError`), "its log says that the machine's memory ran out"},
	{trials.ClassMemory, regexp.MustCompile(`(?i)out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED`), "its log says that memory ran out"},
	{trials.ClassPackage, regexp.MustCompile(`ModuleNotFoundError: |ImportError: `), "a package that it needs is missing or unfit"},
	{trials.ClassUsage, regexp.MustCompile(`error: (unrecognized arguments|argument |the following arguments are required)`), "it refused its arguments"},
}

// judge makes the result of a program that has ended by itself or by the time limit.
func (r *run) judge(exit process.Exit, limit time.Duration) (trainer.Result, error) {
	if text := r.metrics.wrong(); text != "" {
		return trainer.Result{}, r.fail(trials.ClassUsage, text, nil)
	}
	if exit.Stopped {
		how := "and was stopped"
		if exit.Killed {
			how = "and, as it did not stop, was killed"
		}
		return trainer.Result{}, r.fail(trials.ClassTimeout, fmt.Sprintf("ran over its time limit of %v after %d epochs %s", limit, r.metrics.epoch(), how), nil)
	}
	if !exit.OK() {
		return trainer.Result{}, r.failed(exit)
	}
	if r.metrics.epoch() == 0 && r.job.Resume == "" { // a resumed run may have had nothing left to do
		return trainer.Result{}, r.fail(trials.ClassError, r.metrics.silent(), nil)
	}
	return trainer.Result{Effective: r.job.Params.Clone(), Checkpoint: r.checkpoint()}, nil
}

// failed explains an exit status or signal.
func (r *run) failed(exit process.Exit) *trainer.Failure {
	reason := fmt.Sprintf("program ended with %v after %d epochs", exit, r.metrics.epoch())
	f := r.fail(trials.ClassError, reason, nil)
	known := slices.IndexFunc(signs, func(s sign) bool { return s.text.MatchString(f.LogTail) })
	switch {
	case known >= 0:
		f.Class = signs[known].class
		f.Reason += ": " + signs[known].words
	case exit.Signal == syscall.SIGKILL || exit.Code == 128+int(syscall.SIGKILL):
		f.Class = trials.ClassHostMemory
		f.Reason += ": killed from outside, which is most often the kernel when memory runs out"
	case exit.Code == 127:
		f.Reason += ": a program that it calls is not there"
	case exit.Code == 126:
		f.Reason += ": a program that it calls cannot be executed"
	}
	if text := r.metrics.trouble(); text != "" {
		f.Reason += "; " + text
	}
	return f
}

// fail makes a failure with the end of the log.
func (r *run) fail(class, reason string, cause error) *trainer.Failure {
	tail, err := process.Tail(r.log.Name(), r.begin, tailLines)
	if err != nil {
		tail = "the log cannot be read: " + err.Error()
	}
	return &trainer.Failure{Class: class, Reason: reason, LogTail: tail, Err: cause}
}

// checkpoint is the program's own after its end, or the one of the last epoch that named one. Copies that were kept to
// go on from are of no use any more.
func (r *run) checkpoint() string {
	if r.keeper == nil {
		path, _ := latest(r.job.Dir)
		return path
	}
	if err := os.RemoveAll(filepath.Join(r.job.Dir, keptName)); err != nil {
		r.warn.Warn("copies of checkpoints stay on disk", "trial", r.job.Number, "error", err)
	}
	if st, err := os.Stat(r.keeper.file); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	return r.keeper.file
}

// Latest implements trainer.Resumer: the copy of the program's checkpoint, or the one that it named in its metrics.
func (b *Backend) Latest(dir string) (path string, epoch int) {
	if b.cfg.Checkpoint != nil {
		return latestKept(dir)
	}
	return latest(dir)
}

// CanStop implements trainer.Stopper: only what a program has saved by itself is there to go on from.
func (b *Backend) CanStop(dir string) bool {
	path, _ := b.Latest(dir)
	return path != ""
}

// latest finds the checkpoint that the latest line of the metrics file names, if it is there.
func latest(dir string) (path string, epoch int) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", 0
	}
	data, err := os.ReadFile(filepath.Join(abs, metricsName))
	if err != nil {
		return "", 0
	}
	for text := range bytes.Lines(data) {
		l, err := parse(text)
		if err != nil || l.checkpoint == "" {
			continue
		}
		p := l.checkpoint
		if !filepath.IsAbs(p) {
			p = filepath.Join(abs, p)
		}
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
			path, epoch = p, l.epoch
		}
	}
	return path, epoch
}
