package inference

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
)

// test fills in errors, intervals, p values and verdicts. Intervals are t intervals with the noise's degrees of freedom.
func (f *Factorial) test(m *model, e noise, o Options) {
	p := make([]float64, len(f.Terms))
	tested := 0
	for k := range f.Terms {
		t := &f.Terms[k]
		t.SE = e.sigma * m.unit[k] * m.size(m.chosen[k])
		t.Low, t.High, t.P = math.NaN(), math.NaN(), math.NaN()
		if e.sigma > 0 {
			half := quantile(1-o.alpha()/2, e.df) * t.SE
			t.Low, t.High = t.Estimate-half, t.Estimate+half
			t.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.df}.CDF(-math.Abs(t.Estimate)/t.SE)
			tested++
		}
		p[k] = t.P
	}
	holm := Holm(p)
	for k := range f.Terms {
		f.Terms[k].PHolm = holm[k]
		f.Terms[k].judge(e, o, tested)
	}
}

// judge sets verdict and reason. A term that others hide behind gets no verdict; one that others lean on gets it with
// the assumption that they are nothing, as long as the points could speak against that and do not.
func (t *Term) judge(e noise, o Options, tested int) {
	switch {
	case math.IsNaN(t.P):
		t.Verdict, t.Reason = NotTested, e.why
		return
	case len(t.Aliases) > 0:
		t.Verdict, t.Reason = Aliased, "cannot be told from "+t.others()
		return
	case len(t.Partial) > 0 && e.lack:
		t.Verdict, t.Reason = Aliased, "the points show interactions (lack of fit), and cannot tell how much of them is in it: "+t.leaning()
		return
	case len(t.Partial) > 0 && e.open:
		t.Verdict, t.Reason = Aliased, "these points cannot check that no two factors act together, as it assumes: "+t.leaning()+"; more points, as of a fold-over, would tell"
		return
	}
	wide := quantile(1-o.alpha()/float64(2*max(1, tested)), e.df) * t.SE
	inside := o.Margin > 0 && math.Abs(t.Estimate)+wide <= o.Margin
	switch {
	case t.PHolm < o.alpha():
		t.Verdict, t.Reason = Worse, "the effect is clear"
		if (t.Estimate > 0) != o.Minimize {
			t.Verdict = Better
		}
		if tested > 1 {
			t.Reason += fmt.Sprintf(" after correction for %d terms", tested)
		}
		if inside {
			t.Reason += fmt.Sprintf(", but it is smaller than the margin of %.4g that matters in practice", o.Margin)
		}
	case inside:
		t.Verdict, t.Reason = Equivalent, fmt.Sprintf("the interval lies inside the margin of %.4g that does not matter in practice", o.Margin)
	case t.P < o.alpha():
		t.Verdict = NotShown
		t.Reason = fmt.Sprintf("clear on its own (p = %.2g), but not among %d terms (p = %.2g)", t.P, tested, t.PHolm)
	default:
		t.Verdict = NotShown
		t.Reason = fmt.Sprintf("the data leave room for effects from %+.3g to %+.3g", t.Low, t.High)
	}
	if len(t.Partial) > 0 {
		t.Reason += "; it assumes no interactions: " + t.leaning()
	}
}

// others names what the term cannot be told from.
func (t *Term) others() string {
	var parts []string
	for i, a := range t.Aliases {
		if i == 3 && len(t.Aliases) > 4 {
			parts = append(parts, counted(len(t.Aliases)-3, "other"))
			break
		}
		parts = append(parts, strings.Join(a, " × "))
	}
	return strings.Join(parts, " and ")
}

// leaning names the heaviest of what biases the term.
func (t *Term) leaning() string {
	var parts []string
	for i, p := range t.Partial {
		if i == 2 && len(t.Partial) > 3 {
			parts = append(parts, counted(len(t.Partial)-2, "other"))
			break
		}
		parts = append(parts, fmt.Sprintf("%+.2g of %s", p.Weight, p.Label))
	}
	return strings.Join(parts, ", ") + " would be in it"
}
