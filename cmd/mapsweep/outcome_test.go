package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/studies/claims"
	"github.com/mapsweep/mapsweep/sweep"
)

// A contradicted claim ends with its own code, whatever the budget left out; an interruption or an error counts more.
func TestOutcome(t *testing.T) {
	found := func(v claims.Verdict) *claimCheck { return &claimCheck{found: reports.ClaimCheck{Verdict: v}} }
	no, yes := found(claims.Supported), found(claims.Contradicted)
	budget, other := fmt.Errorf("%w: 2 of 1", sweep.ErrBudget), errors.New("the disk is full")
	done, failed := sweep.Summary{Planned: 6, Complete: 6}, sweep.Summary{Planned: 6, Complete: 5, Failed: 1}
	for i, c := range []struct {
		sum         sweep.Summary
		run, report error
		check       *claimCheck
		code        int
	}{
		{done, nil, nil, nil, 0}, {done, nil, nil, no, 0}, {failed, nil, nil, no, exitTrials}, {failed, nil, nil, nil, exitTrials},
		{done, budget, nil, nil, exitBudget}, {done, budget, nil, no, exitBudget},
		{done, nil, nil, yes, exitClaim}, {failed, nil, nil, yes, exitClaim}, {done, budget, nil, yes, exitClaim},
		{done, sweep.ErrStopped, nil, yes, exitInterrupted}, {done, other, nil, yes, exitError}, {done, nil, other, yes, exitError},
	} {
		err := outcome("s", c.sum, c.run, c.report, c.check)
		code := 0
		if err != nil {
			code = exitCode(err)
		}
		if code != c.code {
			t.Errorf("case %d: code %d, want %d: %v", i, code, c.code, err)
		}
		if c.run != nil && !errors.Is(err, c.run) {
			t.Errorf("case %d: %v does not say %v", i, err, c.run)
		}
	}
}
