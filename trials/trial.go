package trials

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// State is a trial's state, with Optuna's numbers and names.
type State int

// The states. Only Complete, Pruned and Fail are final.
const (
	Running State = iota
	Complete
	Pruned
	Fail
	Waiting
)

var stateNames = [...]string{"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"}

// String is Optuna's name of the state.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "UNKNOWN"
	}
	return stateNames[s]
}

// ParseState reads Optuna's name.
func ParseState(name string) (State, bool) {
	for i, n := range stateNames {
		if n == name {
			return State(i), true
		}
	}
	return 0, false
}

// Finished says whether the state is final.
func (s State) Finished() bool { return s == Complete || s == Pruned || s == Fail }

// Direction says which way the objective is better.
type Direction string

// The two directions, under Optuna's names.
const (
	Minimize Direction = "MINIMIZE"
	Maximize Direction = "MAXIMIZE"
)

// Better says whether a is strictly better than b; NaN is never better.
func (d Direction) Better(a, b float64) bool {
	if math.IsNaN(a) {
		return false
	}
	if math.IsNaN(b) {
		return true
	}
	if d == Maximize {
		return a > b
	}
	return a < b
}

// Classes of a failed trial, stored under AttrClass.
const (
	ClassError      = "error"      // the trainer returned an error or a non-zero exit status
	ClassDiverged   = "diverged"   // a loss became NaN or infinite
	ClassMemory     = "memory"     // out of memory of the GPU, or of a kind that nobody knows
	ClassHostMemory = "hostmemory" // out of the machine's own memory
	ClassDevice     = "device"     // its GPU failed, or was reset, under it and all others there
	ClassTimeout    = "timeout"    // over the time limit
	ClassInfeasible = "infeasible" // the point cannot be run at all
	ClassMismatch   = "mismatch"   // the trainer would do something else than it was asked for, and was not started
	ClassSkipped    = "skipped"    // the user or the budget left it out
	ClassLost       = "lost"       // its worker vanished and it was given up
	ClassData       = "data"       // the data set is missing or broken for the trainer
	ClassUsage      = "usage"      // the trainer refused a flag or a value
	ClassScript     = "script"     // the wrong script for the model
	ClassPackage    = "package"    // a package that the trainer needs is missing or unfit
)

// Attribute names of trials that every room may rely on. All values are JSON.
const (
	AttrKey        = "mapsweep:key"         // string: the suggestion's key, unique in the study
	AttrArm        = "mapsweep:arm"         // string: the variant, "baseline" or "mosaic=0"
	AttrReplicate  = "mapsweep:replicate"   // int from 0
	AttrSeed       = "mapsweep:seed"        // int64: the trainer's seed
	AttrData       = "mapsweep:data"        // string: the data set of this trial
	AttrClass      = "mapsweep:class"       // string: one of the Class constants
	AttrReason     = "mapsweep:reason"      // string: why it failed, for people
	AttrLogTail    = "mapsweep:log_tail"    // string: last lines of its log
	AttrRetryOf    = "mapsweep:retry_of"    // int: number of the failed trial that this one repeats
	AttrRetriedBy  = "mapsweep:retried_by"  // int: number of the trial that repeats this failed one
	AttrEffective  = "mapsweep:effective"   // object: the configuration that the trainer really used
	AttrScoreEpoch = "mapsweep:score_epoch" // int: the epoch that the value is of
	AttrFinal      = "mapsweep:final"       // object epoch, value: the objective at the last epoch that has it
	AttrBest       = "mapsweep:best"        // object epoch, value: the objective at the best epoch, by the metric that chooses it
	AttrNote       = "mapsweep:note"        // string: what is unusual about a complete trial, for people
	AttrImported   = "mapsweep:imported"    // object, of a study or trial: past runs it was made from; it cannot be run
	AttrRetries    = "mapsweep:retries"     // object: class -> how often the trial was started again after such a failure
	AttrAliases    = "mapsweep:aliases"     // array, of a study: its design's alias table; empty if every term is clear
	AttrPeakMiB    = "mapsweep:peak_mib"    // int64: most GPU memory that the trial held, per device
	AttrDevices    = "mapsweep:devices"     // string: GPUs that the trial leased last, as cuda:0, cuda:1
	AttrCores      = "mapsweep:cores"       // int: cores that the trial had for itself
	AttrSaw        = "mapsweep:saw"         // object Saw: which trials the sampler saw when it proposed this one
	AttrEpochs     = "mapsweep:epochs"      // int: the trial's full length (its budget)
	AttrContinues  = "mapsweep:continues"   // int: number of the pruned trial whose checkpoint this one goes on from
	AttrContinued  = "mapsweep:continued"   // int: number of the trial that goes on from this pruned one's checkpoint
	AttrSampler    = "mapsweep:sampler"     // object Proposer: which sampler proposed the point
	AttrEnded      = "mapsweep:ended"       // string, of a study: why its search ended before it had all its trials, and is done
	AttrBracket    = "mapsweep:bracket"     // int: Hyperband bracket of the trial, from 0
)

// Measurement is what a trainer reports at the end of an epoch (counted from 1).
// Metrics may hold NaN and infinities; a metric that was not measured is absent.
type Measurement struct {
	Epoch   int                `json:"epoch"`
	Metrics map[string]float64 `json:"metrics"`
	At      time.Time          `json:"at"`
}

// Suggestion is a point to run. Key names it: enqueuing one key twice is a no-op.
// Params holds every parameter of the trial; Space describes those that vary.
type Suggestion struct {
	Key    string
	Space  Space
	Params Params
	Attrs  map[string]json.RawMessage
}

// Outcome ends a trial. Values holds the objective for Complete, and the last
// reported objective, if any, for Pruned; it is empty for Fail.
type Outcome struct {
	State       State
	Values      []float64
	Constraints []float64 // violations, see Trial.Constraints; kept as Optuna's system attribute "constraints"
	Attrs       map[string]json.RawMessage
}

// Attempt is one start of a trial by a worker. A trial whose worker vanished is
// put back to Waiting and gets another attempt.
type Attempt struct {
	Number  int       `json:"number"` // from 1
	Worker  string    `json:"worker"` // host/pid/start, see sweep/local
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome string    `json:"outcome,omitempty"` // complete, pruned, fail, lost, interrupted
	Reason  string    `json:"reason,omitempty"`
}

// OutcomeName is the outcome of an attempt that ended its trial with that state: complete, pruned or fail.
func OutcomeName(s State) string { return strings.ToLower(s.String()) }

// Trial is one training run. Number counts from 0 within its study.
type Trial struct {
	ID           int64                      `json:"id"`
	StudyID      int64                      `json:"study_id"`
	Number       int                        `json:"number"`
	State        State                      `json:"state"`
	Key          string                     `json:"key"`
	Space        Space                      `json:"space"`  // the parameters that vary
	Params       Params                     `json:"params"` // all parameters
	Values       []float64                  `json:"values,omitempty"`
	Measurements []Measurement              `json:"measurements,omitempty"` // by epoch
	Attrs        map[string]json.RawMessage `json:"attrs,omitempty"`
	Attempts     []Attempt                  `json:"attempts,omitempty"`
	Started      time.Time                  `json:"started,omitzero"`
	Finished     time.Time                  `json:"finished,omitzero"`
	Constraints  []float64                  `json:"constraints,omitempty"` // violations as in Optuna: feasible if all are at most 0
	Heartbeat    time.Time                  `json:"heartbeat,omitzero"`
}

// MarshalJSON writes the state's name.
func (s State) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// Text reads a string attribute; "" if absent.
func (t Trial) Text(name string) string {
	var s string
	if json.Unmarshal(t.Attrs[name], &s) != nil {
		return ""
	}
	return s
}

// Integer reads an integer attribute.
func (t Trial) Integer(name string) (int64, bool) {
	raw, ok := t.Attrs[name]
	if !ok {
		return 0, false
	}
	var n int64
	return n, json.Unmarshal(raw, &n) == nil
}

// Arm is the variant that the trial belongs to ("" in a search).
func (t Trial) Arm() string { return t.Text(AttrArm) }

// Replicate counts from 0.
func (t Trial) Replicate() int { n, _ := t.Integer(AttrReplicate); return int(n) }

// Seed is the trainer's seed.
func (t Trial) Seed() int64 { n, _ := t.Integer(AttrSeed); return n }

// Superseded says that another trial repeats this failed one; such a trial is not counted.
func (t Trial) Superseded() bool { _, ok := t.Integer(AttrRetriedBy); return ok }

// Continued says that another trial goes on from this pruned one's checkpoint: that one counts for the point.
func (t Trial) Continued() bool { _, ok := t.Integer(AttrContinued); return ok }

// Counts says that the trial stands for its point: no other one repeats or continues it.
func (t Trial) Counts() bool { return !t.Superseded() && !t.Continued() }

// Feasible says that the trial met its constraints, or has none.
func (t Trial) Feasible() bool {
	return !slices.ContainsFunc(t.Constraints, func(c float64) bool { return !(c <= 0) })
}

// Saw says what a suggestion was made from (AttrSaw): the trials that ended with an entry of the study's log (Changes)
// up to number Log, and the trials with numbers below Trials, those of them that had not finished as open ones.
type Saw struct {
	Log    int64 `json:"log"`
	Trials int   `json:"trials"`
}

// Proposer is the sampler that proposed a point (AttrSampler).
type Proposer struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Trials  int    `json:"trials"` // how many points it might be asked for
}

// Goal is an objective: a metric and which way it is better.
type Goal struct {
	Metric    string    `json:"metric"`
	Direction Direction `json:"direction"`
}

// At is the value of a metric at an epoch, as AttrFinal and AttrBest hold it.
type At struct {
	Epoch int     `json:"epoch"`
	Value float64 `json:"value"`
}

// At reads AttrFinal or AttrBest.
func (t Trial) At(name string) (at At, ok bool) {
	raw, ok := t.Attrs[name]
	return at, ok && json.Unmarshal(raw, &at) == nil
}

// Attr encodes an attribute value; it panics on a value that JSON cannot hold, which is a programming error.
func Attr(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("trials: attribute: " + err.Error())
	}
	return b
}

// Artifact is a small named file kept in the database with its trial. Stores compress it.
type Artifact struct {
	Name      string
	MediaType string
	Data      []byte
}

// Knob is one setting of a trainer: its name, type, default and range. High < Low means unbounded.
type Knob struct {
	Name     string  `json:"name"`
	Kind     Kind    `json:"kind"`
	Default  any     `json:"default"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Choices  []any   `json:"choices,omitempty"`
	Requires Params  `json:"requires,omitempty"` // values of other knobs without which this one does nothing
	Help     string  `json:"help"`
}

// DataSource is one data set as it was found before the first trial.
type DataSource struct {
	Name    string   `json:"name"`
	Hash    string   `json:"hash"` // SHA-256 over pictures and boxes, hex
	Classes []string `json:"classes"`
	Train   int      `json:"train"` // pictures
	Val     int      `json:"val"`
	Test    int      `json:"test"`
	Notes   []string `json:"notes,omitempty"` // broken files and other findings, for people
}

// Provenance says where results come from. Backends fill Backend, Data and Devices; the engine the rest.
type Provenance struct {
	Version string            `json:"version"`
	Commit  string            `json:"commit"`
	Go      string            `json:"go"`
	Host    string            `json:"host"`
	OS      string            `json:"os"`
	CPU     string            `json:"cpu"`
	Cores   int               `json:"cores"`
	Backend string            `json:"backend"`
	Devices []string          `json:"devices,omitempty"`
	Data    []DataSource      `json:"data,omitempty"`
	Extra   map[string]string `json:"extra,omitempty"` // instruction set, model parameters, FLOPs ...
}

// Study is a recorded task. File is the study file as the user wrote it, Resolved
// its decoded form as JSON: a database alone must reproduce its report.
type Study struct {
	ID         int64
	Name       string
	Directions []Direction // one per objective
	Objective  string      // metric name of the first objective
	Metrics    []string    // of a study with several objectives: their names, as Optuna keeps them; else empty
	File       []byte
	Resolved   json.RawMessage
	Provenance Provenance
	Attrs      map[string]json.RawMessage
	Created    time.Time
}
