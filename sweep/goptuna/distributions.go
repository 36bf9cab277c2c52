package goptuna

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/c-bata/goptuna"

	"github.com/mapsweep/mapsweep/trials"
)

// Distributions is a space in goptuna's words, for goptuna.StudyOptionDefineSearchSpace. What goptuna cannot say
// is refused: logarithmic ints, choices that are no texts, and parameters that require others.
func Distributions(space trials.Space) (map[string]any, error) {
	out := make(map[string]any, len(space))
	for _, p := range space {
		d, err := distribution(p)
		if err != nil {
			return nil, err
		}
		out[p.Name] = d
	}
	return out, nil
}

func distribution(p trials.Param) (any, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	switch {
	case len(p.Requires) > 0:
		return nil, fmt.Errorf("%s requires %s: goptuna has no conditional parameters", p.Name, p.Requires.Key())
	case p.Kind == trials.Int && p.Log:
		return nil, fmt.Errorf("%s is a logarithmic int, which goptuna does not have: make it a float or take log away", p.Name)
	case p.Kind == trials.Categorical:
		d := goptuna.CategoricalDistribution{}
		for _, c := range p.Choices {
			text, ok := c.(string)
			if !ok {
				return nil, fmt.Errorf("%s has the choice %s, which is no text: goptuna's choices are", p.Name, trials.FormatValue(c))
			}
			d.Choices = append(d.Choices, text)
		}
		return d, nil
	case p.Kind == trials.Int && p.Step > 1:
		return goptuna.StepIntUniformDistribution{Low: int(p.Low), High: int(p.High), Step: int(p.Step)}, nil
	case p.Kind == trials.Int:
		return goptuna.IntUniformDistribution{Low: int(p.Low), High: int(p.High)}, nil
	case p.Step > 0:
		return goptuna.DiscreteUniformDistribution{Low: p.Low, High: p.High, Q: p.Step}, nil
	case p.Log:
		return goptuna.LogUniformDistribution{Low: p.Low, High: p.High}, nil
	}
	return goptuna.UniformDistribution{Low: p.Low, High: p.High}, nil
}

// space is the reverse: goptuna's search space as ours, ordered by name since a map has no order.
func space(distributions map[string]any) (trials.Space, error) {
	var out trials.Space
	for _, name := range slices.Sorted(maps.Keys(distributions)) {
		p, err := param(name, distributions[name])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func param(name string, distribution any) (trials.Param, error) {
	p := trials.Param{Name: name, Kind: trials.Float}
	switch d := distribution.(type) {
	case goptuna.UniformDistribution:
		p.Low, p.High = d.Low, d.High
	case goptuna.LogUniformDistribution:
		p.Low, p.High, p.Log = d.Low, d.High, true
	case goptuna.DiscreteUniformDistribution:
		p.Low, p.High, p.Step = d.Low, d.High, d.Q
	case goptuna.IntUniformDistribution:
		p.Kind, p.Low, p.High = trials.Int, float64(d.Low), float64(d.High)
	case goptuna.StepIntUniformDistribution:
		p.Kind, p.Low, p.High, p.Step = trials.Int, float64(d.Low), float64(d.High), float64(d.Step)
	case goptuna.CategoricalDistribution:
		p.Kind = trials.Categorical
		for _, c := range d.Choices {
			p.Choices = append(p.Choices, c)
		}
	default:
		return p, fmt.Errorf("%s: %T is no distribution of goptuna", name, distribution)
	}
	return p, p.Check()
}

// external is the value that goptuna's internal number stands for, if the parameter can take it. Numbers next to
// a value of a grid or to a whole number, as goptuna's own samplers store them, are taken to it.
func external(p trials.Param, internal float64) (any, bool) {
	if p.Kind == trials.Categorical {
		v, err := p.External(internal)
		return v, err == nil
	}
	step := p.Step
	if step == 0 && p.Kind == trials.Int {
		step = 1
	}
	if step > 0 && !math.IsInf(internal, 0) {
		if at := p.Low + math.Round((internal-p.Low)/step)*step; math.Abs(internal-at) < step/2 {
			internal = at
		}
	}
	if !p.Contains(internal) {
		return nil, false
	}
	v, err := p.External(internal)
	return v, err == nil
}
