package trainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/mapsweep/mapsweep/trials"
)

// Job is one training run.
type Job struct {
	TrialID int64
	Number  int           // the trial's number in its study, for names and messages
	Params  trials.Params // every knob that the study sets, fixed or varied
	Epochs  int           // full length; 0: the backend's default
	Seed    int64         // seeds weights, order and augmentation
	Threads int           // cores that the run may use, at least 1
	Devices []string      // leased devices: "cpu", "cuda:0"
	Data    string        // which data set, as named in the study file
	Split   string        // split that is scored: "val" or "test"
	Dir     string        // directory of the trial; exists; all files of the run go there
	Resume  string        // checkpoint to go on from, or ""
	Again   int           // last epochs of that checkpoint that are to be reported again; 0 unless the backend is a Rereporter
	// Progress, if not nil, is called now and then between epochs; it must be fast.
	Progress func(Progress)
}

// Progress is where a running trial stands inside an epoch.
type Progress struct {
	Epoch, Epochs int // current epoch from 1, and their number
	Step, Steps   int // current step from 1 inside the epoch, and their number
	Loss          float64
}

// Result is what a finished run leaves beside its measurements.
type Result struct {
	Effective  trials.Params     // the configuration really used, defaults filled in
	Artifacts  []trials.Artifact // small files for the database
	Checkpoint string            // path of the final checkpoint, or ""
	Note       string            // what is unusual about the run, for people, or ""
	PeakMiB    int64             // most GPU memory that the run held, where it trained in this process; 0: not known
}

// Backend trains. report is called once per finished epoch, from one goroutine, before the
// epoch's checkpoint counts as resumable; it may block and must not be called after Train returns.
// When ctx ends, Train stops within a second or two, leaves a checkpoint if it can, and returns
// context.Cause(ctx) (wrapped or not). A bad trial is a *Failure.
type Backend interface {
	Train(ctx context.Context, job Job, report func(trials.Measurement)) (Result, error)
}

// Preparer is optional: checks data, weights and devices before trial 0, and says what it found.
type Preparer interface {
	Prepare(ctx context.Context) (trials.Provenance, error)
}

// Preflighter is optional: everything that can be looked at before the first trial, in one list. Prepare fails
// where the list has errors.
type Preflighter interface {
	Preflight(ctx context.Context) (Preflight, error)
}

// Preflight is what was found.
type Preflight struct {
	Found []Remark `json:"found"` // the worst first
	Facts any      `json:"facts"` // what was seen, for --json
}

// Remark is one finding of a preflight.
type Remark struct {
	Level string `json:"level"` // error, warning or note
	Text  string `json:"text"`  // what is wrong, where, and what to do; may have several lines
}

// Describer is optional: names the backend's knobs, with types, defaults, ranges and requirements.
type Describer interface {
	Knobs() []trials.Knob
}

// Checker is optional: says before anything starts which of the values that a study sets no trial could run,
// beyond what the knobs' types and ranges say. The error names each.
type Checker interface {
	CheckParams(baseline trials.Params, levels map[string][]any) error
}

// Measurer is optional: names the metrics that the backend reports. A name that ends in "/"
// stands for all that begin with it, such as AP/ for the average precision of each class.
type Measurer interface {
	Metrics() []string
}

// Prober is optional: measures a few steps and tells what one trial will cost.
type Prober interface {
	Probe(ctx context.Context, job Job) (Estimate, error)
}

// Estimate is the forecast for one trial on the cores and devices of its job.
type Estimate struct {
	Seconds    float64 // whole trial: start-up, epochs, validation
	Checkpoint int64   // bytes of a checkpoint; 0: not known
	Note       string  // how it was measured, for people
}

// Resumer is optional: finds the newest usable checkpoint in a trial's directory. A study that is asked to
// stop cancels the trials of a Resumer, which are to leave a checkpoint and go on later; see Stopper.
type Resumer interface {
	// Latest returns the path and the number of epochs finished, or "" and 0.
	Latest(dir string) (path string, epoch int)
}

// Rereporter is optional beside Resumer, for a backend that still has the measurements of a checkpoint's epochs. Without
// it, a trial whose last epochs were saved but not recorded, as the study was killed in between, starts anew.
type Rereporter interface {
	// Rereports says whether epochs first to last are still there for the run that Latest found.
	Rereports(path string, first, last int) bool
}

// Cleaner is optional: deletes the checkpoints of an ended trial that is not worth keeping, all of them, from its
// directory. Logs, tables and configurations stay. A directory that is not there is no error.
type Cleaner interface {
	Clean(dir string) error
}

// ResumeChecker is an optional interface of Resumers whose checkpoints do not go everywhere.
type ResumeChecker interface {
	// CanResume says why a run on this machine cannot go on from a checkpoint that Latest found, or nil. The
	// trial then starts anew.
	CanResume(path string) error
}

// Stopper is optional beside Resumer, for a backend that cannot promise a checkpoint: it says whether a
// running trial, if it is stopped now, can go on from one later. A study that is asked to stop lets a
// trial that cannot run to its end instead, or until it can.
type Stopper interface {
	CanStop(dir string) bool
}

// Closer is optional: gives back what the backend keeps from one run for the next. No run may be under way; those that begin
// later make it anew.
type Closer interface {
	Close() error
}

// Failure is a bad trial: the study goes on without it.
type Failure struct {
	Class   string // one of trials.Class...
	Reason  string // one sentence for people, with the step or exit status
	LogTail string // last lines of the run's log, if any
	PeakMiB int64  // most GPU memory that the run held on one device, if it is known; for trials.ClassMemory
	Err     error
}

// Error is the reason.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Class, f.Reason) }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Errors that end a study before it starts.
var (
	// ErrNoDevice: the device that was asked for is not there.
	ErrNoDevice = errors.New("no such device")
	// ErrNoData: the data set is missing, empty or unusable.
	ErrNoData = errors.New("no usable data")
)
