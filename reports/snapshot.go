package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/courses"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// Snapshot is a study as it stood when it was read: everything that a report says comes from here.
type Snapshot struct {
	Study    trials.Study
	Spec     studies.Spec
	Metric   Metric         // the objective
	Trials   []trials.Trial // all, by number, repeated failures included
	Blocks   []Block        // one per data set, in the study file's order; never empty
	Search   *Search        // for searches and grids, else nil
	Front    *Front         // of a search with several objectives, else nil
	Count    Accounting
	Failures []Failure // trials that ended in failure, by number
	Time     Time
	// Confirmed is what became of a search's best points when they were trained again; nil if they were not. Filled by Load alone.
	Confirmed *Confirmation
	Tunings   []Tuning  // of a study that tunes its variants, as far as they have begun; filled by Load alone
	AsOf      time.Time // latest moment found in the database
	Warnings  []string  // whole sentences that a reader must see beside the answer

	settling *courses.Standing // of a study until settled
	analyses *analyses         // computed when they are first asked for

	matches map[int]*evaluate.Matches // by trial number; see LoadMatches
	unread  []string                  // sentences on matches that are there and unusable
}

// Block is the part of a study that ran on one data set.
type Block struct {
	Data    string // as the study file names it; "" where it names none
	Arms    []Arm  // in design order, reference first; empty in a search
	Effects []Effect
	// Smallest is the effect that the study could have seen with a chance of 80 %
	// at the corrected level, in the metric's unit; NaN where it cannot be told.
	Smallest float64
	// Top are the indices in Arms of those that are not shown to be worse than the best; empty where none is shown to be.
	Top []int
	// Margin is half the width of the band inside which effects count as equivalent, in the metric's unit; 0: none.
	Margin float64
	// Tuned compares the variants as their tunings chose them; nil in a study that tunes nothing.
	Tuned *Tuned
}

// Arm is one variant and its trials.
type Arm struct {
	Name      string   // as stored: "baseline", "mosaic=0"
	Label     string   // for people: "mosaic 1 → 0"
	Short     string   // for direct labels: "mosaic=0"
	Reference bool     // effects are read against this one
	Changes   []Change // against the reference, or in a grid against the baseline
	Params    trials.Params
	Trials    []trials.Trial // by replicate, without those that another trial repeats
	Scores    []Score        // of the complete trials, by replicate
	Mean, SD  float64        // over Scores; NaN without any, SD NaN with fewer than two
}

// Change is one parameter that differs from the baseline.
type Change struct {
	Name     string
	From, To any
}

// Score is the objective of one complete trial.
type Score struct {
	Trial     int     `json:"trial"` // number
	Replicate int     `json:"replicate"`
	Seed      int64   `json:"seed"`
	Value     float64 `json:"value"`
}

// Accounting says where the planned trials are.
type Accounting struct {
	Planned    int `json:"planned"`
	Complete   int `json:"complete"`
	Pruned     int `json:"pruned"`
	Failed     int `json:"failed"`
	Infeasible int `json:"infeasible"`
	Skipped    int `json:"skipped"`
	Running    int `json:"running"`
	Waiting    int `json:"waiting"`  // enqueued, not yet proposed by the sampler, or not yet chosen by a tuning
	Repeated   int `json:"repeated"` // failures repeated by another trial; not those that were skipped and run after all; not part of the sum
	Missing    int `json:"missing"`  // points of a fixed design that were never enqueued
	// Continued counts pruned trials that another one goes on from, which stands for the point; it is not part of the sum.
	Continued int `json:"continued,omitempty"`
	// Most is what Planned may grow to while variants are not settled; 0: it does not grow.
	Most int `json:"most,omitempty"`
	// Ended is why a search was done before all its trials: those that were not suggested are not planned any more.
	Ended string `json:"ended,omitempty"`
}

// Finished is the number of trials that have an outcome.
func (a Accounting) Finished() int {
	return a.Complete + a.Pruned + a.Failed + a.Infeasible + a.Skipped
}

// Holds says that every planned trial is somewhere.
func (a Accounting) Holds() bool { return a.Planned == a.Finished()+a.Running+a.Waiting+a.Missing }

// Done says that every planned trial has an outcome.
func (a Accounting) Done() bool { return a.Planned > 0 && a.Planned == a.Finished() }

// Failure is a trial that failed, and why.
type Failure struct {
	Trial    int    `json:"trial"`
	Arm      string `json:"arm"` // label
	Class    string `json:"class"`
	Reason   string `json:"reason"`
	LogTail  string `json:"log_tail,omitempty"`
	Repeated bool   `json:"repeated"` // another trial repeats it
}

// Time is how long a study took.
type Time struct {
	Wall   time.Duration // while at least one trial ran
	Device time.Duration // summed over trials
	First  time.Time
	Last   time.Time
}

// Load reads a study from the store and makes sense of it. It returns an error wrapping
// trials.ErrNoStudy for an unknown name; a study without any trial is no error.
func Load(ctx context.Context, r trials.Reader, study string) (*Snapshot, error) {
	st, err := r.Study(ctx, study)
	if err != nil {
		return nil, fmt.Errorf("read study %q: %w", study, err)
	}
	ts, err := r.Trials(ctx, st.ID)
	if err != nil {
		return nil, fmt.Errorf("read trials of study %q: %w", study, err)
	}
	s, err := New(st, ts)
	if err == nil && s.Spec.Tune != nil {
		s.Tunings, err = tunings(ctx, r, s)
	}
	if err == nil && s.IsSearch() {
		if s.Confirmed, err = confirmation(ctx, r, s); s.Confirmed != nil {
			s.Warnings = warnings(s)
		}
	}
	return s, err
}

// New makes a snapshot of a study and its trials, in any order.
func New(st trials.Study, ts []trials.Trial) (*Snapshot, error) {
	s := &Snapshot{Study: st, Trials: trials.Joined(byNumber(ts)), analyses: &analyses{}}
	if len(st.Resolved) > 0 {
		if err := json.Unmarshal(st.Resolved, &s.Spec); err != nil {
			return nil, fmt.Errorf("decode resolved file of study %q: %w", st.Name, err)
		}
	}
	s.fillSpec()
	s.Metric = newMetric(s.Spec.Objective.Metric, s.Spec.Objective.Direction)
	s.AsOf = asOf(st, s.Trials)
	s.Time = timing(s.Trials, s.AsOf)
	asked := s.Spec
	if s.Imported() { // what was found is what was planned
		asked.Design, asked.Search = studies.DesignSearch, nil
	}
	s.settling = follow(s.Spec, s.Trials, s.AsOf)
	var ended string
	_ = json.Unmarshal(st.Attrs[trials.AttrEnded], &ended)
	s.Count = account(asked, s.settling, s.Trials, s.AsOf, ended)
	s.Blocks = s.blocks()
	s.tuned()
	if !s.Spec.Referenced() {
		s.Search = newSearch(s)
		s.Front = newFront(s)
	}
	s.Failures = failures(s)
	s.Warnings = warnings(s)
	return s, nil
}

// Imported says that the study was made from past runs, which nobody planned together.
func (s *Snapshot) Imported() bool { _, ok := s.Study.Attrs[trials.AttrImported]; return ok }

// Foreign says that another program (Optuna) recorded the study: what was trained and how it was scored is unknown.
func (s *Snapshot) Foreign() bool { return len(s.Study.Resolved) == 0 }

// fillSpec supplies what a study recorded by another program (Optuna) does not say.
func (s *Snapshot) fillSpec() {
	sp := &s.Spec
	if sp.Name == "" {
		sp.Name = s.Study.Name
	}
	if sp.Objective.Metric == "" {
		sp.Objective.Metric = s.Study.Objective
	}
	if sp.Objective.Metric == "" {
		sp.Objective.Metric = "objective"
	}
	if sp.Objective.Direction == "" && len(s.Study.Directions) > 0 {
		sp.Objective.Direction = s.Study.Directions[0]
	}
	if sp.Objective.Direction == "" {
		sp.Objective.Direction = trials.Maximize
	}
	if sp.Design == "" {
		sp.Design = studies.DesignSearch
	}
}

// Reference returns the arm against which effects are read; a grid has none.
func (b *Block) Reference() (*Arm, bool) {
	for i := range b.Arms {
		if b.Arms[i].Reference {
			return &b.Arms[i], true
		}
	}
	return nil, false
}

// Effect returns the effect of the arm with that name.
func (b *Block) Effect(arm string) (Effect, bool) {
	for _, e := range b.Effects {
		if e.Arm == arm {
			return e, true
		}
	}
	return Effect{}, false
}

// Only returns a copy of the snapshot that holds one block, for charts of one data set.
func (s *Snapshot) Only(block int) *Snapshot {
	c := *s
	c.Blocks = s.Blocks[block : block+1]
	return &c
}

// Duration is how long a trial ran: all of its attempts together. now ends one that still runs.
func Duration(t trials.Trial, now time.Time) time.Duration {
	var d time.Duration
	for _, iv := range intervals(t, now) {
		d += iv[1].Sub(iv[0])
	}
	return d
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
