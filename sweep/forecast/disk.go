package forecast

import (
	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep/prune"
)

// Disk is what a study will leave on disk, in bytes; 0 where it is not known.
type Disk struct {
	Checkpoint  int64 `json:"checkpoint"`  // one
	Kept        int   `json:"kept"`        // checkpoints that are there at most: of the best and the latest trials, of those that run, and of those that may go on
	Checkpoints int64 `json:"checkpoints"` // all of them
	Database    int64 `json:"database"`    // that the database grows by, with the matches of trials if they are kept
	Total       int64 `json:"total"`
}

// NewDisk works out the disk from the size of a checkpoint and what a trial takes in the database; 0: not known. trials
// counts those of tunings, too.
func NewDisk(spec studies.Spec, f Forecast, checkpoint, perTrial int64) Disk {
	trials := f.Trials
	if f.TrialSeconds > 0 {
		trials += int(f.TuningHours * 3600 / f.TrialSeconds)
	}
	d := Disk{Checkpoint: checkpoint, Kept: min(trials, spec.Keep.Best+spec.Keep.Last+f.Parallel), Database: perTrial * int64(trials)}
	if spec.Search != nil && prune.Promotes(spec.Search.Pruner) {
		d.Kept = trials // any of them may go on until the search is over
	}
	if t := spec.Tune; t != nil && prune.Promotes(t.Pruner) {
		d.Kept = min(trials, d.Kept+t.Trials) // and those of one tuning at a time
	}
	d.Checkpoints = checkpoint * int64(d.Kept)
	d.Total = d.Checkpoints + d.Database
	return d
}
