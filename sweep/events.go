package sweep

import (
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/sweep/local"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Event is one of the types below. Events of one Run arrive in order and never two at once.
type Event interface{ event() }

// StudyStarted is the first event: the study is open, recovery is done, nothing runs yet.
type StudyStarted struct {
	Study     trials.Study
	Summary   Summary
	Continued bool             // the study was there before
	Extended  []string         // what an edited study file added
	Changed   []string         // how program and machine differ from those of the run before
	Lost      []int            // trials of vanished workers, waiting again
	Retried   []int            // failed trials that are repeated by new ones
	Settled   []VariantSettled // variants that were settled, or given up, before this run
	Notes     []string         // from the design
	Parallel  int              // trials at once, before anything is known of their memory
	Most      int              // trials at once when GPUs turn out to have room for several
	Devices   []string         // GPUs that trials lease, for people; empty: the CPU
}

// TrialStarted says that a trial was claimed and begins.
type TrialStarted struct {
	Trial  trials.Trial
	Lease  local.Lease
	Dir    string
	Epochs int
	Resume int // epochs finished by an earlier attempt; 0: from the start
}

// TrialProgress is where a trial stands inside an epoch, at most a few times per second.
type TrialProgress struct {
	Trial    trials.Trial
	Progress trainer.Progress
}

// TrialMeasured is a finished epoch, already stored.
type TrialMeasured struct {
	Trial       trials.Trial
	Measurement trials.Measurement
}

// TrialFinished says that a trial ended (Trial.State is final) or waits again (Trial.State
// is Waiting; Reason tells why).
type TrialFinished struct {
	Trial   trials.Trial
	Reason  string
	Summary Summary
	// Incumbent is the configuration of a search that is best by now; nil: none is, or the design is a fixed one.
	Incumbent *Incumbent
}

// VariantSettled says that a variant gets no more replicates: it is settled, or it will not be.
type VariantSettled struct{ courses.Variant }

// SearchEnded says that a search is done before it has all its trials. Those that run are finished.
type SearchEnded struct{ Why string }

// StudyDone is the last event; Err is what Run returns.
type StudyDone struct {
	Summary Summary
	Err     error
}

func (StudyStarted) event()   {}
func (TrialStarted) event()   {}
func (TrialProgress) event()  {}
func (TrialMeasured) event()  {}
func (TrialFinished) event()  {}
func (VariantSettled) event() {}
func (SearchEnded) event()    {}
func (StudyDone) event()      {}
