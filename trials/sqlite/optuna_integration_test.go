//go:build integration

package sqlite_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/sqlite"
)

// pythonTrial and pythonReport are what testdata/optuna_check.py prints.
type pythonTrial struct {
	Number        int
	State         string
	Values        []any
	Params        map[string]any
	Distributions map[string]string
	Intermediate  map[string]any
	UserAttrs     map[string]any `json:"user_attrs"`
	Fixed         map[string]any
	Start         string
}

type pythonReport struct {
	Version, Direction string
	StudyAttrs         map[string]any `json:"study_attrs"`
	Before, After      []pythonTrial
	Columns            []string
	Rows, Best         int
	BestValue          float64 `json:"best_value"`
	History            []float64
	Charts             map[string]int
}

// TestOptuna lets Optuna 5.0 and 4.9 read, chart and continue a database of ours,
// and reads what they wrote. .ci/optuna.sh makes the interpreters.
func TestOptuna(t *testing.T) {
	withOptuna(t, func(t *testing.T, version, python string) {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDB(t, path)
		defer d.Close()
		st := writeStudy(t, d)
		r := runPython(t, python, path)
		if r.Version != version {
			t.Fatalf("%s has Optuna %s", python, r.Version)
		}
		checkSeen(t, d, st, r)
		checkContinued(t, d, st, r)
		checkForeignStudy(t, d)
	})
}

// TestOptunaBeside lets Optuna add trials to a study while we run ours: numbers stay dense, nothing is lost.
func TestOptunaBeside(t *testing.T) {
	const theirs, mine = 25, 200
	withOptuna(t, func(t *testing.T, _, python string) {
		path := filepath.Join(t.TempDir(), "x.db")
		d := openDB(t, path)
		defer d.Close()
		st := fill(t, d, 0)
		cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "optuna_add.py"), path, "s", strconv.Itoa(theirs))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		must(t, err)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		must(t, err)
		must(t, in.Close())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		n, running := 0, true
		for running || n < mine {
			select {
			case err := <-ended:
				must(t, err)
				running = false
			default:
			}
			tr, err := d.Enqueue(t.Context(), st.ID, searched(strconv.Itoa(n), 0.001+float64(n)*1e-6, "sgd"))
			must(t, err)
			must(t, d.Finish(t.Context(), tr.ID, trials.Outcome{State: trials.Pruned}))
			n++
		}
		all, err := d.Trials(t.Context(), st.ID)
		must(t, err)
		if len(all) != n+theirs {
			t.Errorf("%d trials, want %d of ours and %d of Optuna's", len(all), n, theirs)
		}
		place := int64(0)
		for i, tr := range all {
			if tr.Number != i || i > 0 && tr.ID <= all[i-1].ID {
				t.Errorf("place %d holds number %d, ID %d", i, tr.Number, tr.ID)
			}
			if p, ok := tr.Integer("place"); ok {
				if p != place || tr.Values[0] != float64(p)/100 || tr.Measurements[0].Metrics["mAP50-95"] != float64(p)/200 {
					t.Errorf("Optuna's trial %d: %+v", p, tr)
				}
				place++
			}
		}
		if place != theirs {
			t.Errorf("%d of Optuna's trials are there", place)
		}
	})
}

// searched is a point of the space that optuna_check.py suggests, with a fixed parameter beside.
func searched(key string, lr0 float64, opt any) trials.Suggestion {
	return trials.Suggestion{Key: key,
		Params: trials.Params{"lr0": lr0, "mixup": 0.15, "batch": int64(16), "opt": opt, "box": 7.5},
		Space: trials.Space{
			{Name: "lr0", Kind: trials.Float, Low: 0.001, High: 0.05, Log: true},
			{Name: "mixup", Kind: trials.Float, High: 0.5, Step: 0.05},
			{Name: "batch", Kind: trials.Int, Low: 8, High: 32, Step: 8},
			{Name: "opt", Kind: trials.Categorical, Choices: []any{"sgd", "adamw", nil, true, int64(3), 2.5}},
		},
		Attrs: map[string]json.RawMessage{trials.AttrArm: trials.Attr("lr0=" + trials.FormatValue(lr0)), trials.AttrReplicate: trials.Attr(0), trials.AttrSeed: trials.Attr(11)}}
}

// writeStudy writes six trials: three complete, pruned, failed, waiting.
func writeStudy(t *testing.T, d *sqlite.DB) trials.Study {
	t.Helper()
	ctx := t.Context()
	st, err := d.CreateStudy(ctx, trials.Study{Name: "s", Directions: []trials.Direction{trials.Maximize}, Objective: "mAP50-95",
		File: []byte("name: s\n"), Resolved: json.RawMessage(`{}`), Attrs: map[string]json.RawMessage{"note": json.RawMessage(`"ü"`)}})
	must(t, err)
	ends := []trials.Outcome{
		{State: trials.Complete, Values: []float64{0.31}},
		{State: trials.Complete, Values: []float64{0.42}},
		{State: trials.Complete, Values: []float64{0.25}},
		{State: trials.Pruned, Values: []float64{0.05}},
		{State: trials.Fail, Attrs: map[string]json.RawMessage{trials.AttrClass: trials.Attr(trials.ClassDiverged), trials.AttrReason: trials.Attr("loss is NaN at step 7")}},
	}
	opts := []any{"sgd", nil, true, int64(3), 2.5, "adamw"}
	for i := range 6 {
		_, err := d.Enqueue(ctx, st.ID, searched(string(rune('a'+i)), 0.01+0.002*float64(i), opts[i]))
		must(t, err)
	}
	for _, end := range ends {
		tr, err := d.Claim(ctx, st.ID, "w")
		must(t, err)
		for e := 1; e <= 3; e++ {
			v := 0.1 * float64(e)
			if end.State == trials.Fail && e == 3 {
				v = math.NaN()
			}
			must(t, d.Record(ctx, tr.ID, trials.Measurement{Epoch: e, At: trials.Now(), Metrics: map[string]float64{"mAP50-95": v, "loss/box": 1}}))
		}
		must(t, d.Finish(ctx, tr.ID, end))
	}
	return st
}

func runPython(t *testing.T, python, path string) pythonReport {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "optuna_check.py"), path, "s", t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "TZ=Asia/Tokyo")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var r pythonReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// checkSeen compares what Optuna saw before it changed anything with what we wrote.
func checkSeen(t *testing.T, d *sqlite.DB, st trials.Study, r pythonReport) {
	t.Helper()
	if r.Direction != "MAXIMIZE" || r.Best != 1 || r.BestValue != 0.42 || r.Rows != 6 || len(r.Before) != 6 || r.StudyAttrs["note"] != "ü" {
		t.Errorf("study: %+v", r)
	}
	if want := []float64{0.31, 0.42, 0.25}; !reflect.DeepEqual(r.History, want) {
		t.Errorf("history %v, want %v", r.History, want)
	}
	for _, chart := range []string{"history", "intermediate", "parallel", "slice"} {
		if r.Charts[chart] < 5000 {
			t.Errorf("chart %s has %d bytes", chart, r.Charts[chart])
		}
	}
	for _, column := range []string{"number", "value", "datetime_start", "params_lr0", "params_opt", "user_attrs_" + trials.AttrArm, "user_attrs_" + trials.AttrReason, "state"} {
		if !bytes.Contains([]byte("\n"+joinLines(r.Columns)), []byte("\n"+column+"\n")) {
			t.Errorf("trials_dataframe has no column %s: %v", column, r.Columns)
		}
	}
	all, err := d.Trials(t.Context(), st.ID)
	must(t, err)
	for i, p := range r.Before {
		tr := all[i]
		if p.Number != i || i < 5 && p.State != tr.State.String() || p.Params["lr0"] != tr.Params["lr0"] || p.Fixed["box"] != 7.5 || len(p.Params) != 4 {
			t.Errorf("trial %d: Optuna sees %+v", i, p)
		}
		if p.Distributions["lr0"] != "FloatDistribution(high=0.05, log=True, low=0.001, step=None)" ||
			p.Distributions["batch"] != "IntDistribution(high=32, log=False, low=8, step=8)" ||
			p.Distributions["opt"] != "CategoricalDistribution(choices=('sgd', 'adamw', None, True, 3, 2.5))" {
			t.Errorf("trial %d: distributions %v", i, p.Distributions)
		}
		if p.UserAttrs[trials.AttrSeed] != 11.0 || p.UserAttrs[trials.AttrArm] != tr.Arm() {
			t.Errorf("trial %d: attributes %v", i, p.UserAttrs)
		}
	}
	if want := map[string]any{"1": 0.1, "2": 0.2, "3": "nan"}; !reflect.DeepEqual(r.Before[4].Intermediate, want) {
		t.Errorf("intermediate values %v, want %v", r.Before[4].Intermediate, want)
	}
	if v := r.Before[3].Values; !reflect.DeepEqual(v, []any{0.05}) || r.Before[4].Values != nil {
		t.Errorf("values: pruned %v, failed %v", v, r.Before[4].Values)
	}
	if opts := []any{r.Before[1].Params["opt"], r.Before[2].Params["opt"], r.Before[3].Params["opt"]}; !reflect.DeepEqual(opts, []any{nil, true, 3.0}) {
		t.Errorf("choices %v", opts)
	}
}

func joinLines(lines []string) string {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// checkContinued reads what Optuna added: it took our waiting trial, ran four more,
// failed one and left one waiting.
func checkContinued(t *testing.T, d *sqlite.DB, st trials.Study, r pythonReport) {
	t.Helper()
	all, err := d.Trials(t.Context(), st.ID)
	must(t, err)
	if len(all) != 12 || len(r.After) != 7 {
		t.Fatalf("%d trials, Optuna counts %d from the fifth", len(all), len(r.After))
	}
	ours := all[5]
	if ours.State != trials.Complete || ours.Key != "f" || ours.Params["box"] != 7.5 || ours.Params["opt"] != "adamw" || len(ours.Measurements) != 3 || len(ours.Values) != 1 {
		t.Errorf("our waiting trial, run by Optuna: %+v", ours)
	}
	if _, ok := ours.Params["width"].(float64); !ok {
		t.Errorf("a parameter that Optuna added is missing: %v", ours.Params)
	}
	for i, p := range r.After {
		tr := all[5+i]
		if tr.Number != p.Number || tr.State.String() != p.State {
			t.Errorf("trial %d is %s, Optuna says %d %s", tr.Number, tr.State, p.Number, p.State)
		}
		for name, v := range p.Params {
			if !sameJSON(tr.Params[name], v) {
				t.Errorf("trial %d: %s is %v, Optuna says %v", tr.Number, name, tr.Params[name], v)
			}
		}
		if len(p.Values) == 1 && tr.Values[0] != p.Values[0] {
			t.Errorf("trial %d: value %v, Optuna says %v", tr.Number, tr.Values, p.Values)
		}
	}
	for _, tr := range all[6:10] {
		m := tr.Measurements
		if len(m) != 3 || math.IsNaN(m[0].Metrics["mAP50-95"]) != (tr.Number%2 == 0) || string(tr.Attrs["note"]) != `{"who": "optuna", "nan": "NaN"}` {
			t.Errorf("trial %d: %+v %s", tr.Number, m, tr.Attrs["note"])
		}
		if len(tr.Space) != 5 || len(tr.Attempts) != 0 {
			t.Errorf("trial %d: %d in space, %d attempts", tr.Number, len(tr.Space), len(tr.Attempts))
		}
	}
	if f := all[10]; f.State != trials.Fail || f.Params["lr0"] != 0.02 || f.Params["opt"] != nil || f.Text("from") != "python" {
		t.Errorf("failed by Optuna: %+v", f)
	}
	w, err := d.Claim(t.Context(), st.ID, "w")
	must(t, err)
	if w.Number != 11 || !reflect.DeepEqual(w.Params, trials.Params{"lr0": 0.03, "opt": "adamw"}) {
		t.Errorf("claimed what Optuna enqueued: %+v", w)
	}
	must(t, d.Record(t.Context(), w.ID, trials.Measurement{Epoch: 1, Metrics: map[string]float64{"mAP50-95": 0.9}}))
	must(t, d.Finish(t.Context(), w.ID, trials.Outcome{State: trials.Complete, Values: []float64{0.9}}))
	next, err := d.Enqueue(t.Context(), st.ID, searched("z", 0.02, "sgd"))
	must(t, err)
	if next.Number != 12 {
		t.Errorf("the next number is %d", next.Number)
	}
}

// sameJSON compares a scalar with what JSON made of Optuna's.
func sameJSON(ours, theirs any) bool {
	if n, ok := ours.(int64); ok {
		ours = float64(n)
	}
	return ours == theirs
}

// checkForeignStudy reads a study that Optuna made from the start.
func checkForeignStudy(t *testing.T, d *sqlite.DB) {
	t.Helper()
	st, err := d.Study(t.Context(), "from-python")
	must(t, err)
	if st.Objective != "loss" || !reflect.DeepEqual(st.Directions, []trials.Direction{trials.Minimize, trials.Maximize}) || !st.Created.IsZero() {
		t.Errorf("study: %+v", st)
	}
	all, err := d.Trials(t.Context(), st.ID)
	must(t, err)
	if len(all) != 2 || !math.IsInf(all[1].Values[1], 1) || all[0].Values[0] != all[0].Params["x"] {
		t.Errorf("trials: %+v", all)
	}
	st.File, st.Objective = []byte("adopted"), "loss"
	must(t, d.UpdateStudy(t.Context(), st))
	if got, err := d.Study(t.Context(), "from-python"); err != nil || string(got.File) != "adopted" || got.Objective != "loss" {
		t.Errorf("adopted: %+v, %v", got, err)
	}
}
