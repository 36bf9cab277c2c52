package studies

import (
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// What the file says of a search: sampler and pruner, points by hand, when it ends, further objectives and constraints.

type fileSearch struct {
	Sampler        string     `json:"sampler" jsonschema:"default=tpe,enum=random,enum=tpe,enum=goptuna-tpe,enum=cmaes,enum=sobol,enum=gp,enum=nsga2,enum=grid" jsonschema_description:"Who proposes the points."`
	SamplerOptions fileParams `json:"sampler_options" jsonschema_description:"Options of the sampler, by name."`
	Trials         int        `json:"trials" jsonschema:"required,minimum=1" jsonschema_description:"How many points are tried."`
	Pruner         string     `json:"pruner" jsonschema:"default=none,enum=none,enum=median,enum=percentile,enum=patient,enum=threshold,enum=wilcoxon,enum=successive-halving,enum=asha,enum=hyperband" jsonschema_description:"Who stops trials that look bad after some epochs."`
	PrunerOptions  fileParams `json:"pruner_options" jsonschema_description:"Options of the pruner, by name."`
	Fix            fileParams `json:"fix" jsonschema_description:"Factors that keep a value: the others are searched."`
	Forbid         filePoints `json:"forbid" jsonschema_description:"Combinations that are not tried: no point has all values of one of these."`
	Try            filePoints `json:"try" jsonschema_description:"Points that are tried first. What one leaves out comes from the baseline."`
	WarmStart      words      `json:"warm_start" jsonschema_description:"Studies of the same database whose finished trials the sampler sees beforehand."`
	Stop           *fileStop  `json:"stop" jsonschema_description:"When the search ends before all its trials are done."`
}

type fileStop struct {
	NoImprovement int     `json:"no_improvement" jsonschema:"minimum=1" jsonschema_description:"After this many finished points in a row without a better one."`
	Expected      float64 `json:"expected" jsonschema:"minimum=0" jsonschema_description:"Once the largest improvement that is to be expected of a further point is below this, in the objective's stored unit: 0.001 are 0.1 points."`
}

type fileGoal struct {
	Metric    string `json:"metric" jsonschema:"required" jsonschema_description:"Metric as the trainer reports it: mAP50, time/epoch, time/image, model/parameters, model/gflops ..."`
	Direction string `json:"direction" jsonschema:"enum=maximize,enum=minimize" jsonschema_description:"Which way is better. Default: maximize, and minimize for metrics that begin with loss, val-loss, time/ or model/."`
}

type fileConstraint struct {
	Metric  string   `json:"metric" jsonschema:"required" jsonschema_description:"Metric as the trainer reports it, read at the epoch of the objective."`
	AtMost  *float64 `json:"at_most" jsonschema_description:"Largest value of a feasible point, in the metric's stored unit."`
	AtLeast *float64 `json:"at_least" jsonschema_description:"Smallest value of a feasible point, in the metric's stored unit."`
}

type fileDataSplit struct {
	Tune   string `json:"tune" jsonschema:"default=val,enum=val,enum=test" jsonschema_description:"Pictures that trials of the search are scored on."`
	Report string `json:"report" jsonschema:"default=test,enum=val,enum=test" jsonschema_description:"Pictures that mapsweep confirm scores the best points on; the search never sees them."`
}

// spec brings the file's words to the form of the other rooms.
func (f *fileSearch) spec() *Search {
	if f == nil {
		return nil
	}
	s := &Search{Sampler: f.Sampler, SamplerOptions: trials.Params(f.SamplerOptions), Trials: f.Trials,
		Pruner: f.Pruner, PrunerOptions: trials.Params(f.PrunerOptions), Fix: trials.Params(f.Fix),
		Forbid: f.Forbid, Try: f.Try, WarmStart: f.WarmStart}
	if f.Stop != nil && *f.Stop != (fileStop{}) {
		s.Stop = &Stop{NoImprovement: f.Stop.NoImprovement, Expected: f.Stop.Expected}
	}
	return s
}

// goals are the further objectives.
func (gs fileGoals) goals() []trials.Goal {
	var out []trials.Goal
	for _, g := range gs {
		out = append(out, trials.Goal{Metric: g.Metric, Direction: direction(g.Metric, g.Direction)})
	}
	return out
}

func (cs fileConstraints) constraints() []Constraint {
	var out []Constraint
	for _, c := range cs {
		out = append(out, Constraint(c))
	}
	return out
}

// direction is which way a metric is better: as the file says, or by its name.
func direction(metric, said string) trials.Direction {
	if said == "minimize" || said == "" && isCost(metric) {
		return trials.Minimize
	}
	return trials.Maximize
}

// isCost says that a metric is better when it is smaller: a loss, a time, or the size of a model.
func isCost(metric string) bool {
	for _, prefix := range []string{"loss", "val-loss", "time/", "model/"} {
		if strings.HasPrefix(metric, prefix) {
			return true
		}
	}
	return false
}
