package yolov9

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/internal/process"
	"github.com/mapsweep/mapsweep/trials"
)

// sign is something in the end of a log that tells why a run failed.
type sign struct {
	class string
	text  *regexp.Regexp
	words string // what to make of it; "%s" is the matching line
}

// signs in the order in which they are looked for: the first that fits counts.
var signs = []sign{
	{trials.ClassMemory, regexp.MustCompile(`(?i)CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED`), "the GPU's memory ran out"},
	{trials.ClassHostMemory, regexp.MustCompile(`(?i)DataLoader worker .* (Killed|Bus error)|Unable to allocate .* for an array|can't allocate memory|cannot allocate memory|\bMemoryError\b|std::bad_alloc|out of shared memory|insufficient shared memory`), "the machine's memory ran out: %s"},
	{trials.ClassPackage, regexp.MustCompile(`ModuleNotFoundError: .*|ImportError: .*`), "the Python of this study lacks a package or has an unfit one: %s"},
	{trials.ClassScript, regexp.MustCompile(`RuntimeError: shape '\[\d+, \d+, -1\]' is invalid.*|AttributeError: 'list' object has no attribute 'view'`), "the training script does not fit the model: %s"},
	{trials.ClassData, regexp.MustCompile(`(?i)Dataset not found.*|AssertionError: Label class .* exceeds nc.*|data\.yaml '.*' field missing.*|No labels (found )?in .*Can not (start )?train.*|No images found.*|Error loading data from .*`), "the data do not suit the trainer: %s"},
	{trials.ClassData, regexp.MustCompile(`(?s)stats\[3\]\.astype.*?IndexError: list index out of range`), "validation found nothing to score: neither an object in its labels nor a detection"},
	{trials.ClassMismatch, regexp.MustCompile(`launcher: configuration differs: .*`), "%s"},
	{trials.ClassUsage, regexp.MustCompile(`launcher: (.*)|error: (unrecognized arguments|argument ).*|AssertionError: File not found.*|AssertionError: Invalid CUDA .*`), "%s"},
	{trials.ClassHostMemory, regexp.MustCompile(`Signal 9 \(SIGKILL\) received by PID.*|exitcode\s*: -9\b.*`), "a process of the trial was killed from outside, which is most often the kernel when the machine's memory runs out: %s"},
	{trials.ClassLost, regexp.MustCompile(`(?i)ChildFailedError|NCCL error.*|Watchdog caught collective operation timeout.*|Connection (reset|closed) by peer|RendezvousConnectionError`), "a process of the trial was lost: %s"},
}

var noSpace = regexp.MustCompile(`(?i)No space left on device|Disk quota exceeded`)

// judge makes the result of a script that has ended by itself, by the time limit, or because its losses were lost.
func (r *run) judge(ctx context.Context, exit process.Exit) (trainer.Result, error) {
	if r.diverged != "" {
		return trainer.Result{}, r.fail(trials.ClassDiverged, r.diverged+": the official script would have gone on and ended with exit status 0", nil)
	}
	if exit.Stopped {
		return trainer.Result{}, r.fail(trials.ClassTimeout, fmt.Sprintf("ran over its time limit of %v after %d epochs", r.b.cfg.Timeout, r.last), nil)
	}
	if exit.OK() && r.last > 0 {
		if text := r.rows.Trouble(); text != "" && !r.complete() { // no early stop: rows are missing
			return trainer.Result{}, r.fail(trials.ClassError, fmt.Sprintf("%s was changed while the script ran: %d of %d epochs could be read; %s", resultsName, r.last, r.job.Epochs, text), nil)
		}
		return r.result(ctx)
	}
	f := r.failed(exit)
	// What breaks after the last row (stripping a checkpoint, drawing) leaves a whole training. A disk that is full is another matter.
	if r.complete() && r.safe() && f.Class != trials.ClassUsage && !errors.Is(f, syscall.ENOSPC) {
		fmt.Fprintf(r.log, "mapsweep: all %d epochs were there before the script failed: %s\n", r.last, f.Reason)
		r.b.cfg.Log.Warn("the script failed after its last epoch", "trial", r.job.Number, "reason", f.Reason)
		return r.result(ctx)
	}
	return trainer.Result{}, f
}

// failed explains how the script ended, from its exit status and the end of its log.
func (r *run) failed(exit process.Exit) *trainer.Failure {
	f := r.fail(trials.ClassError, "", nil)
	how := fmt.Sprintf("the script ended with %v after %d epochs", exit, r.last)
	if !isDir(r.job.Dir) {
		f.Reason = how + ": the trial's folder " + r.job.Dir + " was removed while it ran"
		return f
	}
	if noSpace.MatchString(f.LogTail) {
		f.Reason, f.Err = how+": the disk is full", fmt.Errorf("train: %w", syscall.ENOSPC)
		return f
	}
	for _, s := range signs {
		if m := lastMatch(s.text, f.LogTail); m != "" {
			f.Class = s.class
			words := s.words
			if strings.Contains(words, "%s") {
				words = fmt.Sprintf(words, strings.TrimPrefix(m, "launcher: "))
			}
			f.Reason = how + ": " + words
			return f
		}
	}
	switch {
	case exit.OK():
		f.Reason = "the script ended with exit status 0 and without a single epoch in results.csv"
	case exit.Signal == syscall.SIGKILL || exit.Code == 128+int(syscall.SIGKILL):
		f.Class = trials.ClassHostMemory
		f.Reason = how + ": killed from outside, which is most often the kernel when the machine's memory runs out"
	case exit.Code == 2:
		f.Class = trials.ClassUsage
		f.Reason = how + ": it refused its arguments"
	default:
		f.Reason = how + exception(f.LogTail)
	}
	return f
}

// lastMatch is the last line of the log that fits, from where it fits on.
func lastMatch(re *regexp.Regexp, log string) string {
	found := re.FindAllString(log, -1)
	if len(found) == 0 {
		return ""
	}
	return strings.TrimSpace(found[len(found)-1])
}

var raised = regexp.MustCompile(`(?m)^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*)$`)

// exception is the last Python exception of a log, after a colon, or "".
func exception(log string) string {
	if m := lastMatch(raised, log); m != "" {
		return ": " + m
	}
	return ""
}

// fail makes a failure with the end of this attempt's part of the log.
func (r *run) fail(class, reason string, cause error) *trainer.Failure {
	tail, err := process.Tail(r.log.Name(), r.begin, tailLines)
	if err != nil {
		tail = "the log cannot be read: " + err.Error()
	}
	return &trainer.Failure{Class: class, Reason: reason, LogTail: tail, Err: cause}
}

// result reads back what a finished run used, and where its weights are.
func (r *run) result(ctx context.Context) (trainer.Result, error) {
	var res trainer.Result
	back, err := readEffective(r.attempt)
	if err != nil {
		return res, r.fail(trials.ClassError, fmt.Sprintf("the script's configuration was not read back: %v", err), err)
	}
	res.Effective = back.as(r.set, r.b.cfg.Replicates > 1)
	weights := filepath.Join(r.attempt, "weights", "last.pt")
	_, s, ok := checkpoint(r.attempt)
	stale := ok && s.Best && !s.Ended // the script died between last.pt and best.pt, perhaps: they are the same
	if best := filepath.Join(r.attempt, "weights", "best.pt"); r.b.cfg.BestEpoch && isFile(best) && !stale {
		weights = best
	}
	if isFile(weights) {
		res.Checkpoint = weights
	}
	if err := supersede(r.job.Dir, r.attempt); err != nil {
		r.b.cfg.Log.Warn("checkpoints of earlier attempts stay on disk", "trial", r.job.Number, "error", err)
	}
	if r.resumed > 0 && r.attempt != r.from {
		res.Note = fmt.Sprintf("went on after epoch %d from a checkpoint: the official code seeds its random numbers anew then, so it is not the same as an uninterrupted run", r.resumed)
	}
	if r.b.cfg.COCO {
		kept, err := r.coco(ctx, res.Checkpoint)
		res.Artifacts = append(res.Artifacts, kept...)
		if err != nil && ctx.Err() != nil {
			return res, err
		}
		if err != nil { // the training is whole; a study whose objective is one of these scores says that it lacks it
			fmt.Fprintf(r.log, "mapsweep: %v\n", err)
			r.b.cfg.Log.Warn("no score by COCO", "trial", r.job.Number, "reason", err)
		}
	}
	return res, nil
}

// refused is what argparse and the launcher print when they refuse something.
var refused = regexp.MustCompile(`error: .*|launcher: .*`)
