//go:build integration

package sqlite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// optunas are the variables that name a Python with each version of Optuna.
var optunas = map[string]string{"5.0.0": "MAPSWEEP_OPTUNA5_PYTHON", "4.9.0": "MAPSWEEP_OPTUNA4_PYTHON"}

// withOptuna runs a test for each version of Optuna.
func withOptuna(t *testing.T, test func(t *testing.T, version, python string)) {
	for version, variable := range optunas {
		t.Run(version, func(t *testing.T) {
			python := os.Getenv(variable)
			if python == "" {
				t.Skipf("%s does not name a Python with Optuna %s: eval \"$(.ci/optuna.sh)\" makes it", variable, version)
			}
			test(t, version, python)
		})
	}
}

// script runs one of testdata's programs, which prints JSON.
func script(t *testing.T, into any, python, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", name)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// deepReport is what optuna_deep.py first prints.
type deepReport struct {
	Version string
	Single  struct {
		Directions          []string
		Attrs               map[string]any
		Rows, Best          int
		States              []string
		Values              []any
		Bests               []int
		Importances, Fanova map[string]float64
		Intermediate        []map[string]any
		Constraints         [][]float64
		User                []map[string]any
		Taken               []map[string]any
	}
	Several struct {
		Directions, Metrics []string
		Bests               []int
		Values              [][]float64
		Importances         map[string]float64
	}
}

// deepSpace is what optuna_deep.py suggests in study "single".
var deepSpace = trials.Space{
	{Name: "lr0", Kind: trials.Float, Low: 1e-4, High: 1e-1, Log: true},
	{Name: "batch", Kind: trials.Int, Low: 8, High: 32, Step: 8},
	{Name: "opt", Kind: trials.Categorical, Choices: []any{"sgd", "adamw", nil}},
}

// deepPoint spreads points over deepSpace; the learning rate decides the score.
func deepPoint(i int) trials.Suggestion {
	return trials.Suggestion{Key: fmt.Sprintf("k%d", i), Space: deepSpace, Params: trials.Params{"lr0": 1e-4 * math.Pow(10, 3*math.Mod(float64(i)*0.618, 1)),
		"batch": int64(8 + 8*(i%4)), "opt": deepSpace[2].Choices[i%3], "box": 7.5}, Attrs: attrs(trials.AttrSeed, trials.Attr(i))}
}

func deepScore(p trials.Params) float64 {
	lr0, _ := trials.Number(p["lr0"])
	batch, _ := trials.Number(p["batch"])
	return -math.Abs(math.Log10(lr0)+2) - batch/1000
}

const deepComplete, deepInfeasible, deepAll = 24, 6, 28

// writeDeep writes study "single": 24 complete trials of which every fourth breaks a constraint, a pruned one, a failed one and two
// that wait; and study "several" with two objectives. It returns the numbers that are best.
func writeDeep(t *testing.T, d *sqlite.DB) (best int, front []int) {
	t.Helper()
	ctx := t.Context()
	st, err := d.CreateStudy(ctx, trials.Study{Name: "single", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95", Attrs: attrs("who", trials.Attr("lab"))})
	must(t, err)
	top := math.Inf(-1)
	for i := range deepAll {
		tr, err := d.Enqueue(ctx, st.ID, deepPoint(i))
		must(t, err)
		if i >= deepComplete+2 {
			continue
		}
		tr, err = d.Claim(ctx, st.ID, "w")
		must(t, err)
		s := deepScore(tr.Params)
		for e := 1; e <= 3; e++ {
			must(t, d.Record(ctx, tr.ID, trials.Measurement{Epoch: e, Metrics: map[string]float64{"mAP50-95": s - float64(3-e), "loss/box": 1}}))
		}
		end := trials.Outcome{State: trials.Complete, Values: []float64{s}, Constraints: []float64{-1, 0}}
		switch {
		case i == deepComplete:
			end = trials.Outcome{State: trials.Pruned, Values: []float64{s}}
		case i == deepComplete+1:
			end = trials.Outcome{State: trials.Fail, Attrs: attrs(trials.AttrClass, trials.Attr(trials.ClassDiverged))}
		case i%4 == 0:
			end.Constraints[1] = 0.5
		case s > top:
			top, best = s, i
		}
		must(t, d.Finish(ctx, tr.ID, end))
	}
	return best, writeSeveral(t, d)
}

func writeSeveral(t *testing.T, d *sqlite.DB) (front []int) {
	t.Helper()
	ctx := t.Context()
	st, err := d.CreateStudy(ctx, trials.Study{Name: "several", Directions: []trials.Direction{trials.Maximize, trials.Minimize},
		Objective: "mAP50-95", Metrics: []string{"mAP50-95", "time/image"}})
	must(t, err)
	var values [][]float64
	for i := range 12 {
		x, y := math.Mod(float64(i)*0.618, 1), math.Mod(float64(i)*0.324, 1)
		_, err := d.Enqueue(ctx, st.ID, trials.Suggestion{Key: fmt.Sprint(i), Params: trials.Params{"x": x, "y": y},
			Space: trials.Space{{Name: "x", Kind: trials.Float, High: 1}, {Name: "y", Kind: trials.Float, High: 1}}})
		must(t, err)
		tr, err := d.Claim(ctx, st.ID, "w")
		must(t, err)
		values = append(values, []float64{x, x*x + y})
		must(t, d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: values[i]}))
	}
	for i, v := range values {
		if !slices.ContainsFunc(values, func(w []float64) bool { return w[0] >= v[0] && w[1] <= v[1] && (w[0] > v[0] || w[1] < v[1]) }) {
			front = append(front, i)
		}
	}
	return front
}

// TestOptunaDeep: Optuna sees what we wrote, down to constraints, importances and Pareto front, goes on, and so do we after it.
func TestOptunaDeep(t *testing.T) {
	withOptuna(t, func(t *testing.T, version, python string) {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDB(t, path)
		defer d.Close()
		best, front := writeDeep(t, d)
		before, err := d.Changes(t.Context(), 1, 0)
		must(t, err)
		var r deepReport
		script(t, &r, python, "optuna_deep.py", path, "first")
		if r.Version != version {
			t.Fatalf("this is Optuna %s", r.Version)
		}
		checkDeepSingle(t, r, best)
		s := r.Several
		if !slices.Equal(s.Directions, []string{"MAXIMIZE", "MINIMIZE"}) || !slices.Equal(s.Metrics, []string{"mAP50-95", "time/image"}) || !slices.Equal(s.Bests, front) || len(s.Values) != 12 {
			t.Errorf("several objectives: %+v, the front is %v", s, front)
		}
		if len(s.Importances) != 2 || s.Importances["y"] <= 0 {
			t.Errorf("importances for the second objective: %v", s.Importances)
		}
		goOnAfterOptuna(t, d, before.Last)
		checkAgain(t, python, path)
		sound(t, path)
	})
}

func checkDeepSingle(t *testing.T, r deepReport, best int) {
	t.Helper()
	s := r.Single
	if !slices.Equal(s.Directions, []string{"MAXIMIZE"}) || s.Attrs["who"] != "lab" || s.Rows != deepAll || s.Best != best || !slices.Equal(s.Bests, []int{best}) {
		t.Errorf("study: %v %v, %d rows, best %d %v, want %d", s.Directions, s.Attrs, s.Rows, s.Best, s.Bests, best)
	}
	count := map[string]int{}
	for _, state := range s.States {
		count[state]++
	}
	if want := map[string]int{"COMPLETE": deepComplete, "PRUNED": 1, "FAIL": 1, "WAITING": 2}; !reflect.DeepEqual(count, want) {
		t.Errorf("states %v", count)
	}
	for how, shares := range map[string]map[string]float64{"default": s.Importances, "fANOVA": s.Fanova} {
		sum := 0.0
		for _, v := range shares {
			sum += v
		}
		if len(shares) != 3 || math.Abs(sum-1) > 1e-9 || shares["lr0"] < 0.5 {
			t.Errorf("importances (%s): %v", how, shares)
		}
	}
	infeasible := 0
	for i := range deepComplete {
		score := deepScore(deepPoint(i).Params)
		if v, ok := s.Values[i].(float64); !ok || v != score || !reflect.DeepEqual(s.Intermediate[i], map[string]any{"1": score - 2, "2": score - 1, "3": score}) {
			t.Errorf("trial %d: value %v, want %v; intermediate %v", i, s.Values[i], score, s.Intermediate[i])
		}
		if len(s.Constraints[i]) != 2 {
			t.Errorf("trial %d has the constraints %v", i, s.Constraints[i])
		} else if s.Constraints[i][1] > 0 {
			infeasible++
		}
		if s.User[i][trials.AttrSeed] != float64(i) || s.User[i][trials.AttrKey] != fmt.Sprintf("k%d", i) {
			t.Errorf("trial %d has the attributes %v", i, s.User[i])
		}
	}
	if infeasible != deepInfeasible || s.Constraints[deepComplete] != nil {
		t.Errorf("%d trials are infeasible, of the pruned one %v", infeasible, s.Constraints[deepComplete])
	}
	if len(s.Taken) != 5 {
		t.Fatalf("Optuna has run %d trials", len(s.Taken))
	}
}

// goOnAfterOptuna goes on with both studies: all that Optuna did is in the log after entry last, and numbers stay dense.
func goOnAfterOptuna(t *testing.T, d *sqlite.DB, last int64) {
	t.Helper()
	ctx := t.Context()
	c, err := d.Changes(ctx, 1, last)
	must(t, err)
	if len(c.Log) != 5 || len(c.Open) != 0 || c.Trials != deepAll+3 {
		t.Fatalf("%d trials were finished by Optuna, %d are open, %d in all", len(c.Log), len(c.Open), c.Trials)
	}
	for i, e := range c.Log {
		tr := e.Trial
		if tr.Number != deepComplete+2+i || tr.State != trials.Complete || len(tr.Values) != 1 || len(tr.Space) != 3 || len(tr.Measurements) != 3 {
			t.Errorf("entry %d: %+v", e.Number, tr)
		}
		for _, m := range tr.Measurements {
			if v := m.Metrics["mAP50-95"]; tr.Number%2 == 1 && !math.IsInf(v, 1) || tr.Number%2 == 0 && !math.IsNaN(v) {
				t.Errorf("trial %d, epoch %d: %v", tr.Number, m.Epoch, v)
			}
		}
		if want := `{"nan": "NaN", "inf": ["Infinity", "-Infinity"], "text": "NaN"}`; string(tr.Attrs["odd"]) != want {
			t.Errorf("trial %d has the attribute %s", tr.Number, tr.Attrs["odd"])
		}
		if waited := i < 2; waited { // ours, which Optuna took with the parameters that were laid down
			want := deepPoint(tr.Number)
			if tr.Key != want.Key || tr.Params.Key() != want.Params.Key() {
				t.Errorf("trial %d was to be run with %s, Optuna ran %s", tr.Number, want.Params.Key(), tr.Params.Key())
			}
		}
	}
	st, err := d.Study(ctx, "single")
	must(t, err)
	if want := `["Infinity", "-Infinity", "NaN", "Infinity"]`; string(st.Attrs["limits"]) != want {
		t.Errorf("the study has the attribute %s", st.Attrs["limits"])
	}
	must(t, d.SetStudyAttrs(ctx, 1, attrs("after", trials.Attr("ours"))))
	must(t, d.SetAttrs(ctx, c.Log[4].Trial.ID, attrs("after", trials.Attr("ours"))))
	for i := range 3 {
		tr, err := d.Start(ctx, 1, "w", deepPoint(100+i))
		must(t, err)
		if tr.Number != deepAll+3+i || tr.Key != fmt.Sprintf("k%d", 100+i) {
			t.Errorf("trial %d is %s", tr.Number, tr.Key)
		}
		must(t, d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{10 + float64(i)}}))
	}
	tr, err := d.Start(ctx, 2, "w", trials.Suggestion{Key: "after", Params: trials.Params{"x": 0.5}, Space: trials.Space{{Name: "x", Kind: trials.Float, High: 1}}})
	must(t, err)
	if tr.Number != 15 {
		t.Errorf("number %d after Optuna's 14", tr.Number)
	}
	must(t, d.Finish(ctx, tr.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.5, 1}}))
}

// checkAgain lets Optuna read the studies once more.
func checkAgain(t *testing.T, python, path string) {
	t.Helper()
	var r struct {
		Numbers, Several []int
		IDs              []int64
		Best             int
		Attrs            map[string]any
		User             []map[string]any
	}
	script(t, &r, python, "optuna_deep.py", path, "again")
	for i, n := range r.Numbers {
		if n != i || i > 0 && r.IDs[i] <= r.IDs[i-1] {
			t.Errorf("place %d holds number %d with ID %d", i, n, r.IDs[i])
		}
	}
	odd := map[string]any{"nan": "nan", "inf": []any{"inf", "-inf"}, "text": "NaN"}
	user := r.User[deepAll+2]
	if len(r.Numbers) != deepAll+6 || len(r.Several) != 16 || r.Best != deepAll+5 || r.Attrs["after"] != "ours" || !reflect.DeepEqual(r.Attrs["limits"], []any{"inf", "-inf", "nan", "Infinity"}) ||
		user["after"] != "ours" || !reflect.DeepEqual(user["odd"], odd) {
		t.Errorf("Optuna sees %+v", r)
	}
}
