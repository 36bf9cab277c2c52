package charts_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/reports/charts"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/reports/internal/golden"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/studies/inference/importance"
)

// screened is a factorial of k two-level factors of which two and their interaction matter.
func screened(k int, lenth bool) inference.Factorial {
	f := inference.Factorial{Runs: 1 << k, Seeds: 3, Residual: 0.004, DF: 20, PSE: math.NaN(), ME: math.NaN(), SME: math.NaN()}
	if lenth {
		f.Seeds, f.PSE, f.ME, f.SME = 1, 0.003, 0.0077, 0.0157
	}
	names := []string{"mosaic", "mixup", "copy_paste", "autoaugment", "cos_lr", "ema", "a_parameter_with_a_very_long_name"}
	size := func(i, j int) float64 {
		switch {
		case i == 0 && j == 0:
			return -0.07
		case i == 3 && j == 3:
			return -0.051
		case i == 0 && j == 3:
			return 0.021
		}
		return 0.0011*float64((i*7+j*3)%5) - 0.002
	}
	for i := range k {
		for j := i; j < k; j++ {
			t := inference.Term{Factors: []string{names[i]}, Label: names[i] + " 1 → 0", Estimate: size(i, j), Clear: true, Verdict: inference.NotShown}
			if j > i {
				t.Factors, t.Label, t.Clear = []string{names[i], names[j]}, names[i]+" × "+names[j], (i+j)%2 == 1
				for _, a := range []string{"1", "0"} {
					for _, b := range []string{"none", "randaugment"} {
						m := 0.6
						if a == "0" {
							m += size(i, i)
						}
						if b == "randaugment" {
							m += size(j, j)
						}
						if a == "0" && b == "randaugment" {
							m += 2 * t.Estimate
						}
						t.Cells = append(t.Cells, inference.Cell{Levels: []string{a, b}, N: 4, Mean: m})
					}
				}
			}
			if math.Abs(t.Estimate) > 0.015 {
				t.Verdict = inference.Worse
			}
			f.Terms = append(f.Terms, t)
		}
	}
	return f
}

func mattered() importance.Result {
	r := importance.Result{Method: "fANOVA", N: 200}
	for i, n := range []string{"lr0", "mosaic", "box", "autoaugment", "warmup_epochs", "a_parameter_with_a_very_long_name"} {
		r.Single = append(r.Single, importance.Share{Name: n, Value: 0.5 / float64(int(1)<<i), SD: 0.03 / float64(i+1)})
		m := importance.Marginal{Name: n, Log: n == "lr0"}
		if n == "autoaugment" || n == "mosaic" {
			m.Labels = []string{"none", "randaugment"}
			m.X, m.Mean, m.SD = []float64{0, 1}, []float64{0.55, 0.5}, []float64{0.01, 0.02}
		} else {
			for k := range 20 {
				x := 0.001 + 0.05*float64(k)/19
				m.X, m.Mean, m.SD = append(m.X, x), append(m.Mean, 0.55-0.1*math.Pow(math.Log10(x/0.01), 2)), append(m.SD, 0.01)
			}
		}
		r.Marginals = append(r.Marginals, m)
		for j := range i {
			r.Pairs = append(r.Pairs, importance.Pair{A: r.Single[j].Name, B: n, Value: 0.11 / float64(1+i*j), SD: 0.01})
		}
	}
	r.Single = append(r.Single, importance.Share{Name: "unknown", Value: math.NaN(), SD: math.NaN()})
	return r
}

// drawings are the charts of analyses over ordinary and strange numbers.
func drawings() map[string]func(w io.Writer, format string) error {
	all := map[string]func(io.Writer, string) error{}
	add := func(name string, draw func(io.Writer, string) error) { all[name] = draw }
	for _, k := range []int{3, 5, 7} {
		for _, lenth := range []bool{true, false} {
			f := screened(k, lenth)
			name := fmt.Sprintf("%d-%v", k, lenth)
			add("half-normal-"+name, func(w io.Writer, format string) error { return charts.HalfNormal(f, w, format) })
			add("interactions-"+name, func(w io.Writer, format string) error { return charts.Interactions(f, w, format) })
		}
	}
	r := mattered()
	flat := mattered()
	for i := range flat.Single {
		flat.Single[i].SD = math.NaN()
	}
	add("importance", func(w io.Writer, format string) error { return charts.Importance(r, w, format) })
	add("importance-flat", func(w io.Writer, format string) error { return charts.Importance(flat, w, format) })
	add("pairs", func(w io.Writer, format string) error { return charts.HeatMap(r, w, format) })
	add("marginals", func(w io.Writer, format string) error { return charts.Marginals(r, w, format) })
	return all
}

func TestAnalysisGolden(t *testing.T) {
	all := drawings()
	for _, name := range []string{"half-normal-5-true", "interactions-3-false", "importance", "pairs", "marginals"} {
		var b bytes.Buffer
		if err := all[name](&b, "svg"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden.Check(t, "analysis-"+name+".svg", b.Bytes())
	}
}

// No text of an analysis chart leaves the picture or covers another one.
func TestAnalysisLabels(t *testing.T) {
	for name, draw := range drawings() {
		var b bytes.Buffer
		if err := draw(&b, "svg"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkLabels(t, name, b.String())
		if dir := os.Getenv("CHARTS_DIR"); dir != "" {
			b.Reset()
			if err := draw(&b, "png"); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(dir+"/"+name+".png", b.Bytes(), 0o644); err != nil {
				t.Error(err)
			}
		}
	}
}

// What has nothing to say draws nothing.
func TestAnalysisNothing(t *testing.T) {
	nan := importance.Result{Single: []importance.Share{{Name: "a", Value: math.NaN()}}, Pairs: []importance.Pair{{A: "a", B: "b", Value: math.NaN()}}}
	few := inference.Factorial{Terms: []inference.Term{{Estimate: 0.1}, {Estimate: math.NaN()}}}
	for name, err := range map[string]error{
		"half-normal":  charts.HalfNormal(few, io.Discard, "svg"),
		"interactions": charts.Interactions(few, io.Discard, "svg"),
		"importance":   charts.Importance(nan, io.Discard, "svg"),
		"pairs":        charts.HeatMap(nan, io.Discard, "svg"),
		"marginals":    charts.Marginals(nan, io.Discard, "svg"),
	} {
		if !errors.Is(err, charts.ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The path of a sequence: verdicts beside their arms, no look outside the picture.
func TestSequence(t *testing.T) {
	s := snapshot(t, fixture.Quickstart().Build)
	c, _ := charts.Find("sequence")
	if _, err := c.Draw(s); !errors.Is(err, charts.ErrNothing) {
		t.Errorf("a fixed number of replicates has a path: %v", err)
	}
	b := &s.Blocks[0]
	s.Spec.Replicates = 12
	for i := range b.Effects {
		c := &inference.Course{Effect: b.Effects[i].Effect}
		low, high := math.Inf(-1), math.Inf(1)
		for k, n := range []int{3, 5, 8, 12}[:1+i] {
			half := []float64{0.05, 0.02, 0.008, 0.005}[k]
			m := b.Effects[i].Mean + 0.002*float64(k-1)
			low, high = math.Max(low, m-half), math.Min(high, m+half)
			c.Steps = append(c.Steps, inference.Step{N: n, Mean: m, SD: 0.01, Low: m - half, High: m + half, SoFarLow: low, SoFarHigh: high})
		}
		b.Effects[i].Course = c
	}
	var out bytes.Buffer
	if err := charts.Write(&out, c, s, "svg"); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "sequence.svg", out.Bytes())
	checkLabels(t, "sequence", out.String())
	for _, e := range b.Effects {
		if !strings.Contains(out.String(), string(e.Verdict)) {
			t.Errorf("no verdict of %s", e.Label)
		}
	}
	if dir := os.Getenv("CHARTS_DIR"); dir != "" {
		out.Reset()
		if err := charts.Write(&out, c, s, "png"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/sequence.png", out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
