package standin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Variable names the environment variable with the rules, a JSON list of Rule.
const Variable = "MAPSWEEP_STANDIN"

// Rule makes some trials end otherwise than well.
type Rule struct {
	When     map[string]float64 `json:"when,omitempty"`     // hyper-parameters that the trial must have; empty: every trial
	Do       string             `json:"do"`                 // one of the Do constants
	Epoch    int                `json:"epoch"`              // before which epoch, from 0
	Attempts int                `json:"attempts,omitempty"` // on the first so many attempts only; 0: on all
	MS       int                `json:"ms,omitempty"`       // milliseconds an epoch takes (DoSlow)
}

// What a rule can do.
const (
	DoCrash      = "crash"      // a Python exception, exit status 1
	DoHang       = "hang"       // sleeps for an hour
	DoDeaf       = "deaf"       // sleeps for an hour and ignores SIGTERM
	DoNaN        = "nan"        // losses are nan from then on; the run goes on and ends with exit status 0
	DoExplode    = "explode"    // losses are millions from then on
	DoMemory     = "memory"     // out of GPU memory
	DoHostMemory = "hostmemory" // killed by the kernel
	DoAfterRow   = "afterrow"   // killed after the row and before the checkpoint of the epoch
	DoData       = "data"       // data set not found
	DoPackage    = "package"    // a module is missing
	DoScript     = "script"     // the wrong script for the model
	DoLate       = "late"       // an exception after the last epoch
	DoFull       = "full"       // no space left on device
	DoChild      = "child"      // leaves a child process behind in the background and goes on
	DoEmpty      = "empty"      // somebody empties results.csv, and the run goes on
	DoSlowSave   = "slowsave"   // takes Rule.MS between a row and its checkpoint
	DoSlow       = "slow"       // takes Rule.MS an epoch
)

// rules reads the script.
func rules() ([]Rule, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return nil, nil
	}
	var list []Rule
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", Variable, err)
	}
	return list, nil
}

// fits says whether the rule is about this attempt.
func (r Rule) fits(hyp map[string]float64, attempt string) bool {
	n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(attempt), "attempt-"))
	if r.Attempts > 0 && n > r.Attempts {
		return false
	}
	for k, v := range r.When {
		if hyp[k] != v {
			return false
		}
	}
	return true
}
