package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/sweep"
	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// proposed is a sampler and pruner that a study names, and where: under search or under tune.
type proposed struct {
	at     string // "search" or "tune"
	search studies.Search
	space  trials.Space
}

// proposedBy lists who proposes and stops trials of a study: in a search, or in the tunings of its variants.
func proposedBy(spec studies.Spec) (proposed, bool) {
	switch t := spec.Tune; {
	case t != nil:
		tuned := spec.Tuning()
		tuned.Factors = t.Knobs
		return proposed{"tune", studies.Search{Sampler: t.Sampler, Trials: t.Trials, Pruner: t.Pruner}, tuned.Space()}, true
	case spec.Search != nil && spec.Design == studies.DesignSearch:
		return proposed{"search", *spec.Search, sweep.SearchSpace(spec)}, true
	}
	return proposed{}, false
}

func (p proposed) sampler(spec studies.Spec) (sweep.Sampler, error) {
	make, ok := samplers()[p.search.Sampler]
	if !ok {
		return nil, fmt.Errorf("there is no sampler of that name")
	}
	return make(sweep.SamplerConfig{Seed: spec.Seed, Space: p.space, Trials: p.search.Trials, Goals: spec.Objective.Goals(), Options: p.search.SamplerOptions})
}

// pruner makes the pruner; nil if there is none.
func (p proposed) pruner(spec studies.Spec) (sweep.Pruner, error) {
	if p.search.Pruner == "" || p.search.Pruner == "none" {
		return nil, nil
	}
	make, ok := pruners()[p.search.Pruner]
	if !ok {
		return nil, fmt.Errorf("there is no pruner of that name")
	}
	return make(p.prunerConfig(spec))
}

func (p proposed) prunerConfig(spec studies.Spec) sweep.PrunerConfig {
	return sweep.PrunerConfig{Seed: spec.Seed, Epochs: spec.Trainer.Epochs, Trials: p.search.Trials, Options: p.search.PrunerOptions}
}

// checkSearch makes sampler and pruner once, so that what they refuse is found before anything runs.
func checkSearch(spec studies.Spec) studies.Faults {
	p, ok := proposedBy(spec)
	if !ok {
		return nil
	}
	_, err := p.sampler(spec)
	faults := optionFaults(p.at+".sampler", p.search.Sampler, p.search.SamplerOptions, err)
	_, err = p.pruner(spec)
	return append(faults, optionFaults(p.at+".pruner", p.search.Pruner, p.search.PrunerOptions, err)...)
}

// optionFaults are the faults in an error with which a sampler or pruner refuses its options. at is the key that names it.
func optionFaults(at, name string, options trials.Params, err error) studies.Faults {
	if err == nil {
		return nil
	}
	list := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		list = many.Unwrap()
	}
	var faults studies.Faults
	for _, err := range list {
		var of *sweep.OptionError
		option := ""
		if errors.As(err, &of) {
			option = of.Option
		}
		faults = append(faults, studies.Fault{Path: optionPath(at, options, option), Message: fmt.Sprintf("%s %s: %s", at, name, strings.ReplaceAll(err.Error(), "\n", "; "))})
	}
	return faults
}

// optionPath is where an option stands in the file; where it does not, the options, or who has them.
func optionPath(at string, options trials.Params, option string) string {
	if _, given := options[option]; given {
		return at + "_options." + option
	}
	if len(options) > 0 {
		return at + "_options"
	}
	return at
}

// checkPromotion says whether the trainer can go on with what a pruner promotes.
func checkPromotion(spec studies.Spec, backend trainer.Backend) error {
	p, ok := proposedBy(spec)
	if !ok {
		return nil
	}
	pruner, err := p.pruner(spec)
	if err != nil {
		return err
	}
	spec.Search = &p.search
	return sweep.CheckPromotion(spec, pruner, backend)
}

// countSearch is the number of trials of a search; a grid may have fewer points than are asked for.
func countSearch(spec studies.Spec) (n int, notes []string, err error) {
	n = spec.Search.Trials
	if p, ok := proposedBy(spec); ok {
		sampler, err := p.sampler(spec)
		if err != nil {
			return 0, nil, err
		}
		if n, err = sweep.SearchPoints(spec, sampler); err != nil {
			return 0, nil, err
		}
		if n < p.search.Trials {
			notes = append(notes, fmt.Sprintf("the %s has %s, fewer than search.trials, which is %d", p.search.Sampler, count(n, "point"), p.search.Trials))
		}
	}
	return n * max(1, spec.Replicates) * max(1, len(spec.Trainer.Data)), notes, nil
}

// searchWarnings are what a study file asks of its sampler and pruner that comes to nothing: a pruner that can never stop a
// trial, a sampler that never gets to know enough. Trials of other studies, and replicates and data sets, let either know more.
func searchWarnings(spec studies.Spec) studies.Faults {
	p, ok := proposedBy(spec)
	if !ok {
		return nil
	}
	s, most := p.search, p.search.Trials
	if p.at == "search" {
		most *= max(1, spec.Replicates) * max(1, len(spec.Trainer.Data))
	}
	if len(s.WarmStart) > 0 {
		most = math.MaxInt
	}
	var out studies.Faults
	if sampler, err := p.sampler(spec); err == nil {
		if l, ok := sampler.(sweep.Learner); ok && l.Startup() >= most {
			out = append(out, studies.Fault{Path: optionPath(p.at+".sampler", s.SamplerOptions, l.StartupOption()),
				Message: fmt.Sprintf("sampler %s learns nothing here: it begins to once %s have ended, and there are %d in all", s.Sampler, count(l.Startup(), "trial"), most),
				Hint:    p.learn(l.StartupOption())})
		}
	}
	c := p.prunerConfig(spec)
	c.Trials = most
	if pruner, err := p.pruner(spec); err == nil {
		if i, ok := pruner.(sweep.Idler); ok {
			if why, option := i.Idle(c); why != "" {
				out = append(out, studies.Fault{Path: optionPath(p.at+".pruner", s.PrunerOptions, option),
					Message: fmt.Sprintf("pruner %s can never stop a trial here: %s", s.Pruner, why)})
			}
		}
	}
	return out
}

// learn says how a sampler gets to know enough. Tunings have no options.
func (p proposed) learn(option string) string {
	if p.at == "tune" {
		return "raise tune.trials"
	}
	return "lower its option " + option + ", or raise search.trials"
}

// warnings are those of searchWarnings, at their lines.
func (s source) warnings(spec studies.Spec) studies.Faults {
	all := searchWarnings(spec)
	if len(all) == 0 {
		return nil
	}
	located, _ := studies.AsFaults(studies.Locate(all, s.text, s.opts))
	return located
}

func printWarnings(w io.Writer, all studies.Faults) {
	for _, f := range all {
		fmt.Fprintf(w, "warning: %v\n", f)
	}
}

// promotionNote says what a pruner that lets pruned trials go on needs of a program that may leave no checkpoint; "" if it is not so.
func promotionNote(spec studies.Spec) string {
	p, ok := proposedBy(spec)
	if !ok || spec.Trainer.Backend != studies.BackendCommand || spec.Trainer.Checkpoint != nil {
		return ""
	}
	pruner, err := p.pruner(spec)
	if _, promotes := pruner.(sweep.Promoter); err != nil || !promotes {
		return ""
	}
	return fmt.Sprintf("pruner %s lets pruned trials go on: where the program names no checkpoint in its metrics, and trainer.checkpoint none, such a trial starts again from epoch 1", p.search.Pruner)
}
