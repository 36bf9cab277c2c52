package trials

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Errors of stores, to be matched with errors.Is.
var (
	ErrNoStudy     = errors.New("no such study")
	ErrStudyExists = errors.New("study exists already")
	ErrNoTrial     = errors.New("no such trial")
	ErrNoArtifact  = errors.New("no such artifact")
	ErrNoneWaiting = errors.New("no trial is waiting")
	ErrFinished    = errors.New("trial is finished and cannot change")
	// ErrDuplicate: another trial of the study has the same parameters, seed, data set and epochs, and is not repeated by this one.
	ErrDuplicate  = errors.New("the study has this trial already")
	ErrNotRunning = errors.New("trial is not running")
	// ErrTaken: the worker counted as lost, and the trial waits or is another one's; see Holding.
	ErrTaken   = errors.New("trial was taken from its worker")
	ErrNotOurs = errors.New("not a mapsweep or Optuna database")
	ErrNewer   = errors.New("database was written by a newer version")
	// ErrIncompatible: one name keeps its kind and scale within a study.
	ErrIncompatible = errors.New("parameter changed its kind within the study")
	// The next four are about the database file; the error that wraps them says which and what to do.
	ErrCorrupt  = errors.New("database is damaged")
	ErrDiskFull = errors.New("disk is full")
	ErrReadOnly = errors.New("database cannot be written")
	ErrBusy     = errors.New("database is held by another process")
	// ErrGone: the file was deleted, moved or replaced while it was open; see Guard.
	ErrGone = errors.New("database is no longer there")
)

// Reader reads studies and trials.
type Reader interface {
	// Study finds a study by name, or ErrNoStudy.
	Study(ctx context.Context, name string) (Study, error)
	// Studies lists all, by ID.
	Studies(ctx context.Context) ([]Study, error)
	// Trials lists a study's trials by number, measurements by epoch: one consistent snapshot. The maps and slices
	// of finished trials are shared with later calls: nobody may change them (Clone).
	Trials(ctx context.Context, studyID int64) ([]Trial, error)
	// Changes brings a view of a study up to date: what entered its log of finished trials after entry number after
	// (0: from the beginning), and all that runs or waits now; one consistent snapshot. Its cost does not depend on
	// how much the log held before.
	Changes(ctx context.Context, studyID, after int64) (Changes, error)
	// Artifact reads an artifact of a trial, or ErrNoArtifact.
	Artifact(ctx context.Context, trialID int64, name string) (Artifact, error)
}

// Writer records what happens. Every call is one transaction: it holds wholly or not at all. Calls that change a trial may be
// bound to one attempt of it, see Holding.
type Writer interface {
	// CreateStudy stores a new study and returns it with its ID; ErrStudyExists if the name is taken.
	CreateStudy(ctx context.Context, s Study) (Study, error)
	// UpdateStudy replaces File, Resolved and Provenance of study s.ID and sets its Attrs beside those that are
	// there. Leave out attributes that did not change: someone else may have set them meanwhile.
	UpdateStudy(ctx context.Context, s Study) error
	// SetStudyAttrs sets attributes of a study; those whose value is null are removed, others stay as they are.
	SetStudyAttrs(ctx context.Context, studyID int64, attrs map[string]json.RawMessage) error
	// Enqueue adds a Waiting trial with the next number; Attrs gets AttrKey beside the
	// suggestion's own. If the study already has a trial with that key it changes nothing
	// and returns that trial. ErrInvalid, ErrIncompatible (see Param.Compatible); ErrDuplicate if another trial has
	// the same Params, AttrSeed, AttrData and AttrEpochs, and neither repeats the other (AttrRetryOf, AttrContinues).
	Enqueue(ctx context.Context, studyID int64, s Suggestion) (Trial, error)
	// Start enqueues suggestions, as Enqueue each, and claims, as Claim, in one transaction.
	Start(ctx context.Context, studyID int64, worker string, s ...Suggestion) (Trial, error)
	// Claim takes the waiting trial with the lowest number (Waiting -> Running, a new
	// attempt) for worker; exactly one of several callers gets it. ErrNoneWaiting if there is none.
	Claim(ctx context.Context, studyID int64, worker string) (Trial, error)
	// Record stores a measurement of a running trial; the same epoch again replaces it.
	// The objective's value also becomes Optuna's intermediate value of that step. Later
	// epochs that an earlier attempt left behind are dropped: the new attempt runs them
	// again. ErrNotRunning while it waits, ErrFinished once it has ended.
	Record(ctx context.Context, trialID int64, m Measurement) error
	// Heartbeat says that the trial's worker lives (Claim does, too); ErrNotRunning, ErrFinished as Record.
	Heartbeat(ctx context.Context, trialID int64) error
	// Attach stores an artifact; the same name again replaces it.
	Attach(ctx context.Context, trialID int64, a Artifact) error
	// SetAttrs sets attributes of a trial, finished or not.
	SetAttrs(ctx context.Context, trialID int64, attrs map[string]json.RawMessage) error
	// Finish ends a running or waiting trial and closes its attempt; ErrFinished if it has
	// ended. ErrInvalid for an outcome that does not fit, as NaN and infinite values for Complete.
	// The attempt of a trial of ClassLost ends at Trial.LostAt, every other now.
	Finish(ctx context.Context, trialID int64, o Outcome) error
	// Requeue puts a running trial back to Waiting and closes its attempt with outcome
	// and reason; ErrNotRunning otherwise. Its measurements stay until they are replaced. The
	// attempt ends at Trial.LostAt if its outcome is ClassLost, otherwise now.
	Requeue(ctx context.Context, trialID int64, outcome, reason string) error
	// Reclaim is Requeue with the outcome ClassLost for a trial whose worker has vanished, as the caller read it, and sets attrs. It
	// changes nothing if the worker, or another one that was faster, has given a sign since (Trial.Silent): ErrNotRunning.
	Reclaim(ctx context.Context, t Trial, reason string, attrs map[string]json.RawMessage) error
	// GiveUp is Finish for a trial whose worker has vanished, as the caller read it, under the condition of Reclaim.
	GiveUp(ctx context.Context, t Trial, o Outcome) error
}

// Changes is what happened to a study's trials, see Reader.Changes.
type Changes struct {
	Log []Entry // in the order in which it happened
	// Last is the number of the log's last entry, for the next call.
	Last int64
	// Trials is how many trials the study has.
	Trials int
	// Open are those that run or wait, by number.
	Open []*Trial
}

// Entry is one entry of a study's log: a trial that finished, or a finished one of which an attribute was set. The
// log covers all processes, Optuna's among them. Of several entries of one trial after the same place only the last is
// told, with its own number. The trial is as it is now and shared: nobody may change it.
type Entry struct {
	Number int64 // from 1; numbers of one study rise, but not always by 1
	Ended  int64 // of the entry with which the trial ended: Number, or less if an attribute was set since
	Trial  *Trial
}

// Guard is an optional interface of stores that keep a file.
type Guard interface {
	// Alive says whether what is written can still be found under the store's name: ErrGone if the file was
	// deleted, moved or replaced since it was opened. Writing to it goes on without an error, and is lost.
	Alive(ctx context.Context) error
}

// Store is a Reader and Writer that several goroutines, and for files several processes, may use at once.
type Store interface {
	Reader
	Writer
	Close() error
}

// Now is the time that stores write: UTC with microseconds, as Optuna's schema keeps it.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
