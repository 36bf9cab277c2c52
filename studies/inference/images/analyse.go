package images

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
)

// DefaultDraws is how many draws an interval rests on.
const DefaultDraws = 2000

// leastImages is the number of pictures under which nothing is said: so few do not stand for others.
const leastImages = 10

// Arm is one variant's matches, by replicate.
type Arm struct {
	Name string
	Runs map[int]*evaluate.Matches
}

// Options say what is scored, and how it is drawn.
type Options struct {
	Target  evaluate.Target // Classes must exist
	Images  []bool          // pictures that are scored, by index; nil: all
	Draws   int             // 0: DefaultDraws
	Alpha   float64         // 1-Alpha is the level of intervals; 0: 0.05
	Seed    uint64          // of the draws: the same gives the same numbers, on any number of cores
	Workers int             // goroutines; 0: GOMAXPROCS
}

// Result is what Analyse finds, in the order of the arms.
type Result struct {
	Arms    []Estimate // the score of each arm
	Effects []Estimate // each arm but the first against the first, seed by seed
}

// Steps is the work of one draw over all runs, to choose Options.Draws by.
func Steps(arms []Arm, t evaluate.Target) int {
	n := 0
	for _, a := range arms {
		for _, m := range a.Runs {
			n += m.NewWalk(t).Steps()
		}
	}
	return n
}

// Analyse draws seeds and pictures. Arms without runs are told so in their Reason; an error is only that of ctx.
func Analyse(ctx context.Context, arms []Arm, o Options) (Result, error) {
	o = o.complete()
	r := Result{}
	reason := different(arms)
	var s *sheet
	if reason == "" {
		var err error
		if s, err = newSheet(ctx, arms, o); err != nil {
			return r, err
		}
		if n := len(s.images); n < leastImages {
			reason = fmt.Sprintf("there are only %d such pictures, too few to stand for others", n)
		}
	}
	for i, a := range arms {
		if reason != "" {
			r.Arms = append(r.Arms, silent(a.Name, reason))
			if i > 0 {
				r.Effects = append(r.Effects, silent(a.Name, reason))
			}
			continue
		}
		r.Arms = append(r.Arms, s.estimate(a.Name, o, s.runs[i], nil))
		if i > 0 {
			r.Effects = append(r.Effects, s.estimate(a.Name, o, s.runs[i], s.runs[0]))
		}
	}
	return r, nil
}

func (o Options) complete() Options {
	if o.Draws == 0 {
		o.Draws = DefaultDraws
	}
	if !(o.Alpha > 0 && o.Alpha < 1) {
		o.Alpha = .05
	}
	o.Workers = workers(o.Workers)
	return o
}

// different says why the runs cannot be compared picture by picture, or "".
func different(arms []Arm) string {
	var first *evaluate.Matches
	for _, a := range arms {
		for _, rep := range slices.Sorted(maps.Keys(a.Runs)) {
			m := a.Runs[rep]
			switch {
			case first == nil:
				first = m
			case m.Pictures != first.Pictures || m.Images != first.Images || len(m.Classes) != len(first.Classes):
				return "the trials were not scored on the same pictures"
			}
		}
	}
	if first == nil {
		return "no trial has kept its matches"
	}
	return ""
}

// estimate describes an arm's score or, with a reference, its difference from it.
func (s *sheet) estimate(name string, o Options, arm, reference map[int]*run) Estimate {
	with := []map[int]*run{arm}
	if reference != nil {
		with = append(with, reference)
	}
	reps := common(with...)
	var t table
	for _, rep := range reps {
		t.add(arm[rep], reference[rep])
	}
	e := t.estimate(name, o, len(s.images))
	if len(reps) < 2 && reference != nil && len(arm) > 1 && len(reference) > 1 {
		e.Reason = "the two arms share fewer than two seeds"
	}
	return e
}

// estimate describes a quantity of each seed. The formulas are in docs/STATISTICS.md, "Seeds and pictures".
func (t *table) estimate(name string, o Options, images int) Estimate {
	n := len(t.full)
	for _, v := range t.full {
		if math.IsNaN(v) {
			return silent(name, "the pictures have no object that this score counts")
		}
	}
	e := silent(name, "")
	e.Seeds, e.Images = n, images
	if n > 0 {
		e.Mean = stat.Mean(t.full, nil)
	}
	if n < 2 {
		e.Reason = fmt.Sprintf("%s with matches: it takes at least two seeds to tell their scatter", count(n, "seed"))
		return e
	}
	drawn, means := t.draws(o)
	if e.Draws = len(drawn); e.Draws < o.Draws*9/10 {
		e.Reason = fmt.Sprintf("in %d of %d draws no picture had an object that this score counts", o.Draws-e.Draws, o.Draws)
		return e
	}
	seedVariance := stat.Variance(t.full, nil) / float64(n)
	up := float64(images) / float64(images-1) // a drawn variance has the divisor N
	imageVariance := up * stat.Variance(means, nil)
	e.Variance = parts(seedVariance, imageVariance, up*t.within(o.whole()), n)
	spread := stat.StdDev(drawn, nil)
	if e.SE = math.Sqrt(e.Variance.Total()); !(spread > tiny*math.Abs(e.Mean)) || !(e.SE > 0) {
		e.SE, e.Variance = math.NaN(), Parts{math.NaN(), math.NaN(), math.NaN()}
		e.Reason = "nothing scatters: the score is the same on whatever seeds and pictures"
		return e
	}
	e.intervals(drawn, seedVariance, imageVariance, spread, o.Alpha)
	e.advise(seedVariance)
	return e
}

// tiny is the relative size under which a spread is rounding and not noise.
const tiny = 1e-12

func count(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// draws returns the mean over the seeds drawn with each draw and, of the first draws, that over all seeds. Draws that
// have no object to score are left out.
func (t *table) draws(o Options) (drawn, means []float64) {
	n := len(t.full)
	counts := make([]int, n)
	for b := range o.Draws {
		seeds(counts, o.Seed, b)
		some, all := 0., 0.
		for i, y := range t.drawn {
			if counts[i] > 0 {
				some += float64(counts[i]) * y[b]
			}
			all += y[b]
		}
		if !math.IsNaN(some) {
			drawn = append(drawn, some/float64(n))
		}
		if b < o.whole() && !math.IsNaN(all) {
			means = append(means, all/float64(n))
		}
	}
	return drawn, means
}

// within is the mean over seeds of the variance over the first draws of pictures.
func (t *table) within(whole int) float64 {
	sum := 0.
	for _, y := range t.drawn {
		sum += stat.Variance(slices.DeleteFunc(slices.Clone(y[:whole]), math.IsNaN), nil)
	}
	return sum / float64(len(t.drawn))
}

// parts splits the variance of a mean over n seeds. seeds is that of other seeds on these pictures, images that of
// other pictures with these seeds: both hold the part of a training on a picture, which follows from how much more
// single seeds scatter over pictures (within) than their mean does.
func parts(seeds, images, within float64, n int) Parts {
	both := max(0, (within-images)/float64(n-1))
	return Parts{Seeds: max(0, seeds-both), Images: max(0, images-both), Both: both}
}

// intervals fills in all three. The draws count a training's chance on a picture three times over and leave out
// n/(n-1); so they give the shape, SE the size, and Student's t the allowance for few seeds.
func (e *Estimate) intervals(drawn []float64, seeds, images, spread, alpha float64) {
	slices.Sort(drawn)
	e.DrawnLow, e.DrawnHigh = stat.Quantile(alpha/2, stat.LinInterp, drawn, nil), stat.Quantile(1-alpha/2, stat.LinInterp, drawn, nil)
	n := float64(e.Seeds)
	e.DF = e.SE * e.SE * e.SE * e.SE / (seeds*seeds/(n-1) + images*images/float64(e.Images-1))
	e.DF = max(e.DF, min(n, float64(e.Images))-1)
	scale := e.SE / spread * student(1-alpha/2, e.DF) / distuv.UnitNormal.Quantile(1-alpha/2)
	middle := stat.Mean(drawn, nil)
	e.Low, e.High = e.Mean+scale*(e.DrawnLow-middle), e.Mean+scale*(e.DrawnHigh-middle)
	if seeds > 0 {
		half := student(1-alpha/2, n-1) * math.Sqrt(seeds)
		e.SeedLow, e.SeedHigh = e.Mean-half, e.Mean+half
	}
}

func student(p, df float64) float64 { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p) }

// Bounds of Advice: a part that is gone leaves an interval narrower by at most a tenth if it is less than smallShare
// of the variance, sqrt(1-0.2) being 0.89.
const (
	smallShare = .2
	halfShare  = .5
	upperLevel = .9
)

// advise says what would narrow the interval. That seeds would not help is said only where that holds even if they
// scatter as much as their number allows (90 % upper bound of the variance): then pictures still have the larger half.
func (e *Estimate) advise(seeds float64) {
	n := float64(e.Seeds)
	if e.Seeds < 3 {
		return
	}
	upper := seeds * (n - 1) / distuv.ChiSquared{K: n - 1}.Quantile(1-upperLevel)
	v := e.Variance
	switch {
	case v.SeedShare() <= smallShare && upper <= halfShare*(upper+v.Images):
		e.Advice = MoreImages
	case v.ImageShare() <= smallShare:
		e.Advice = MoreSeeds
	case v.SeedShare() > smallShare && v.ImageShare() > smallShare:
		e.Advice = MoreOfAny
	}
}
