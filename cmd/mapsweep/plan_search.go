package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/trials"
)

// searched is what a plan says of a search.
type searched struct {
	Search      *studies.Search      `json:"search,omitempty"`
	Objectives  []trials.Goal        `json:"objectives,omitempty"`
	Constraints []studies.Constraint `json:"constraints,omitempty"`
	DataSplit   *studies.DataSplit   `json:"data_split,omitempty"`
	Notes       []string             `json:"notes,omitempty"`
}

func search(spec studies.Spec) searched {
	return searched{Search: spec.Search, Objectives: spec.Objective.Goals(), Constraints: spec.Constraints, DataSplit: spec.DataSplit}
}

// printSearch prints how a search proposes its points, what it looks for, and what is searched.
func printSearch(w io.Writer, spec studies.Spec, space trials.Space) {
	s := spec.Search
	fmt.Fprintf(w, "sampler %s%s, pruner %s%s\n", s.Sampler, options(s.SamplerOptions), s.Pruner, options(s.PrunerOptions))
	for i, g := range spec.Objective.Also {
		fmt.Fprintf(w, "objective %d: %s %s\n", i+2, strings.ToLower(string(g.Direction)), g.Metric)
	}
	for _, c := range spec.Constraints {
		fmt.Fprintf(w, "constraint: %s\n", c)
	}
	if d := spec.DataSplit; d != nil {
		fmt.Fprintf(w, "the best are confirmed on split %s, which the search never sees: mapsweep confirm %s\n", d.Report, spec.Name)
	}
	for _, p := range s.Forbid {
		fmt.Fprintf(w, "forbidden: %s\n", point(p))
	}
	for _, p := range s.Try {
		fmt.Fprintf(w, "tried first: %s\n", point(p))
	}
	if len(s.WarmStart) > 0 {
		fmt.Fprintf(w, "the sampler has seen: %s\n", strings.Join(s.WarmStart, ", "))
	}
	if stop := s.Stop; stop != nil && stop.NoImprovement > 0 {
		fmt.Fprintf(w, "ends after %s without a better one\n", count(stop.NoImprovement, "point"))
	}
	if stop := s.Stop; stop != nil && stop.Expected > 0 {
		fmt.Fprintf(w, "ends once a better point by %s is not to be expected\n", trials.FormatValue(stop.Expected))
	}
	if b := spec.Budget; b.Epochs > 0 {
		fmt.Fprintf(w, "at most %s in all\n", count(b.Epochs, "epoch"))
	}
	if b := spec.Budget; b.WallClock != "" {
		fmt.Fprintf(w, "at most %s since the first trial began\n", b.WallClock)
	}
	fmt.Fprintln(w)
	for _, p := range space {
		if v, fixed := s.Fix[p.Name]; fixed {
			fmt.Fprintf(w, "  %-16s %s (fixed)\n", p.Name, trials.FormatValue(v))
			continue
		}
		fmt.Fprintf(w, "  %-16s %s\n", p.Name, rangeOf(p))
	}
}

// options are those of a sampler or pruner in brackets, "" if there are none.
func options(p trials.Params) string {
	if len(p) == 0 {
		return ""
	}
	return " (" + point(p) + ")"
}

// point is a set of values in words: lr0=0.01, mixup=0.3.
func point(p trials.Params) string {
	var parts []string
	for _, name := range p.Names() {
		parts = append(parts, name+"="+trials.FormatValue(p[name]))
	}
	return strings.Join(parts, ", ")
}
