package table_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/internal/table"
)

// official is a table as the official YOLOv9 writes it: cells 20 wide, right-aligned, epochs from 0.
const official = `               epoch,      train/box_loss,   metrics/precision,     metrics/mAP_0.5,metrics/mAP_0.5:0.95,        val/box_loss,               x/lr0
                   0,              6.6828,                   0,                   0,                   0,                   0,              0.0991
                   1,                3.43,             0.12345,               1e-05,                0.25,                   0,            0.097152
`

// show writes rows as "0: a=1 b=NaN; 1: a=2".
func show(rows []table.Row) string {
	var out []string
	for _, r := range rows {
		text := fmt.Sprintf("%d:", r.Epoch)
		var names []string
		for n := range r.Values {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			text += fmt.Sprintf(" %s=%v", n, r.Values[n])
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// step is something that a trainer does to the file, and what is read then.
type step struct {
	do   string // append, create, replace, remove, skip, end
	text string
	want string
}

func TestFollower(t *testing.T) {
	const head = "epoch,a,b\n"
	tests := []struct {
		name    string
		steps   []step
		rows    string // all of them in the end
		trouble string
	}{
		{"grows", []step{{"append", head, ""}, {"append", "0,1,2\n", "0: a=1 b=2"}, {"append", "1,3,4\n2,5,6\n", "1: a=3 b=4; 2: a=5 b=6"}, {"append", "", ""}}, "0: a=1 b=2; 1: a=3 b=4; 2: a=5 b=6", ""},
		{"not there yet", []step{{"remove", "", ""}, {"append", head + "0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"padded", []step{{"append", "  epoch,    a,\tb\r\n    0,  1,   2\r\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"byte order mark", []step{{"append", "\ufeff" + head + "0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"quoted", []step{{"append", `"epoch","a","b, c"` + "\n" + `0, "1", "2"` + "\n", "0: a=1 b, c=2"}}, "0: a=1 b, c=2", ""},
		{"special values", []step{{"append", head + "0,nan,-inf\n1,NaN,1e+06\n2,,text\n3,inf,1e999\n", "0: a=NaN b=-Inf; 1: a=NaN b=1e+06; 2:; 3: a=+Inf b=+Inf"}}, "0: a=NaN b=-Inf; 1: a=NaN b=1e+06; 2:; 3: a=+Inf b=+Inf", ""},
		{"half a line", []step{{"append", head + "0,1", ""}, {"append", "5,2\n1,", "0: a=15 b=2"}, {"append", "3,4\n", "1: a=3 b=4"}}, "0: a=15 b=2; 1: a=3 b=4", ""},
		{"half a header", []step{{"append", "epo", ""}, {"append", "ch,a,b\n0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"no end of line", []step{{"append", head + "0,1,2", ""}, {"end", "", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"cut off", []step{{"append", head + "0,1,2\n1,3", "0: a=1 b=2"}, {"end", "", ""}}, "0: a=1 b=2", `1 of 2 lines of the table make no sense; the first: line 2 has 2 cells and not 3: "1,3"`},
		{"epoch again", []step{{"append", head + "0,1,2\n1,3,4\n", "0: a=1 b=2; 1: a=3 b=4"}, {"append", "1,5,4\n2,6,7\n", "1: a=5 b=4; 2: a=6 b=7"}}, "0: a=1 b=2; 1: a=5 b=4; 2: a=6 b=7", ""},
		{"last row twice", []step{{"append", head + "0,1,nan\n", "0: a=1 b=NaN"}, {"append", "0,1,nan\n", ""}}, "0: a=1 b=NaN", ""},
		{"rows of one epoch are joined", []step{{"append", head + "0,1,\n0,,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"comma at the end", []step{{"append", "epoch,a,b,\n0,1,2,\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"empty last cell", []step{{"append", head + "0,1,\n", "0: a=1"}}, "0: a=1", ""},
		{"one column twice", []step{{"append", "epoch,a,a\n0,1,2\n", "0: a=1"}}, "0: a=1", ""},
		{"other columns from now on", []step{{"append", head + "0,1,2\n", "0: a=1 b=2"}, {"append", "epoch,c\n1,3\n", "1: c=3"}}, "0: a=1 b=2; 1: c=3", ""},
		{"replaced", []step{{"append", head + "0,1,2\n1,1,2\n", "0: a=1 b=2; 1: a=1 b=2"}, {"replace", head + "0,1,3\n", "0: a=1 b=3"}, {"append", "1,4,2\n", "1: a=4 b=2"}}, "0: a=1 b=3; 1: a=4 b=2", ""},
		{"begun anew, shorter", []step{{"append", head + "0,1,2\n1,1,2\n", "0: a=1 b=2; 1: a=1 b=2"}, {"create", head + "0,1,3\n", "0: a=1 b=3"}}, "0: a=1 b=3; 1: a=1 b=2", ""},
		{"begun anew, longer", []step{{"append", head + "0,1,2\n", "0: a=1 b=2"}, {"create", "epoch,b\n0,7\n1,8\n2,9\n", "0: a=1 b=7; 1: b=8; 2: b=9"}}, "0: a=1 b=7; 1: b=8; 2: b=9", ""},
		{"removed and back", []step{{"append", head + "0,1,2\n", "0: a=1 b=2"}, {"remove", "", ""}, {"append", head + "1,1,2\n", "1: a=1 b=2"}}, "0: a=1 b=2; 1: a=1 b=2", ""},
		{"used folder, no new header", []step{{"append", head + "0,1,2\n1,3,4\n", ""}, {"skip", "", ""}, {"append", "0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", ""},
		{"used folder, half a line", []step{{"append", head + "0,1,2\n1,3", ""}, {"skip", "", ""}, {"append", "1,5,6\n", "1: a=5 b=6"}}, "1: a=5 b=6", ""},
		{"nonsense", []step{{"append", head + "hello\nx,1,2\n0.5,1,2\n1e99,1,2\n\n,,\n0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", `4 of 5 lines of the table make no sense; the first: line 1 has 1 cells and not 3: "hello"`},
		{"no such column", []step{{"append", "Epoch,a,b\n0,1,2\n", ""}}, "", `1 of 1 lines of the table make no sense; the first: line 1 has no column "epoch"`},
		{"too long", []step{{"append", head + strings.Repeat("1", 1<<20+1), ""}, {"append", ",1\n0,1,2\n", "0: a=1 b=2"}}, "0: a=1 b=2", "lines of the table make no sense; the first: line 1 is too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "results.csv")
			f := table.Follow(path, "epoch")
			for i, s := range tt.steps {
				act(t, path, s)
				if s.do == "skip" {
					if err := f.Skip(); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if i+1 < len(tt.steps) && tt.steps[i+1].do == "skip" {
					continue
				}
				if got := show(f.Read(s.do == "end")); got != s.want {
					t.Errorf("step %d: read %q, want %q", i+1, got, s.want)
				}
			}
			if got := show(f.Rows()); got != tt.rows {
				t.Errorf("rows %q, want %q", got, tt.rows)
			}
			if got := f.Trouble(); !strings.Contains(got, tt.trouble) || tt.trouble == "" && got != "" {
				t.Errorf("trouble %q, want %q", got, tt.trouble)
			}
		})
	}
}

// act does to the file what a trainer would.
func act(t *testing.T, path string, s step) {
	t.Helper()
	var err error
	switch s.do {
	case "append":
		var f *os.File
		if f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666); err == nil {
			_, err = f.WriteString(s.text)
			f.Close()
		}
	case "create":
		err = os.WriteFile(path, []byte(s.text), 0o666)
	case "replace":
		if err = os.WriteFile(path+".new", []byte(s.text), 0o666); err == nil {
			err = os.Rename(path+".new", path)
		}
	case "remove":
		if err = os.Remove(path); os.IsNotExist(err) {
			err = nil
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOfficialFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.csv")
	f := table.Follow(path, "epoch")
	if f.Columns() != nil || f.Lacks("a") != nil {
		t.Errorf("before there is a file: columns %q, lacking %q", f.Columns(), f.Lacks("a"))
	}
	act(t, path, step{do: "append", text: official})
	rows := f.Read(false)
	if len(rows) != 2 || rows[0].Epoch != 0 || rows[1].Values["metrics/mAP_0.5:0.95"] != 0.25 || rows[1].Values["metrics/mAP_0.5"] != 1e-5 || rows[0].Values["train/box_loss"] != 6.6828 {
		t.Errorf("read %s", show(rows))
	}
	if _, ok := rows[0].Values["epoch"]; ok {
		t.Error("the epoch is among the values")
	}
	want := "epoch,train/box_loss,metrics/precision,metrics/mAP_0.5,metrics/mAP_0.5:0.95,val/box_loss,x/lr0"
	if got := strings.Join(f.Columns(), ","); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got := f.Lacks("epoch", " x/lr0 ", "x/lr9", "val/obj_loss", "x/lr9"); !slices.Equal(got, []string{"x/lr9", "val/obj_loss"}) {
		t.Errorf("lacking %q", got)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Modified().Equal(st.ModTime()) {
		t.Errorf("modified %v, want %v", f.Modified(), st.ModTime())
	}
}

func TestParse(t *testing.T) {
	f := table.Parse([]byte(official+"                   2,  nan"), "epoch")
	if got := f.Rows(); len(got) != 2 || got[1].Values["x/lr0"] != 0.097152 {
		t.Errorf("rows %s", show(got))
	}
	if got := f.Trouble(); !strings.HasPrefix(got, "1 of 3 lines of the table make no sense; the first: line 3 has 2 cells and not 7") {
		t.Errorf("trouble %q", got)
	}
}

// TestRowsAreCopies: what a reader does to a row does not change the next one.
func TestRowsAreCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.csv")
	act(t, path, step{do: "append", text: "epoch,a\n0,1\n"})
	f := table.Follow(path, "epoch")
	for _, r := range f.Read(true) {
		r.Values["a"] = math.NaN()
	}
	if got := show(f.Rows()); got != "0: a=1" {
		t.Errorf("rows %q", got)
	}
}

// FuzzFollower writes a file in two pieces: nothing may panic, and the pieces give what the whole gives.
func FuzzFollower(f *testing.F) {
	f.Add([]byte(official), 300)
	f.Add([]byte("epoch,a\n1,nan\n1,2\nepoch,b\n\"2\", \"x\"\n3,4,\n"), 9)
	f.Add([]byte("\xef\xbb\xbfepoch,\r\n1e400,2\n-1,2\n,,,\n\"\n"), 1)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		cut = min(max(cut, 0), len(data))
		path := filepath.Join(dir, "whole")
		act(t, path, step{do: "create", text: string(data)})
		whole := table.Follow(path, "epoch")
		whole.Read(true)
		path = filepath.Join(dir, "parts")
		act(t, path, step{do: "create", text: string(data[:cut])})
		parts := table.Follow(path, "epoch")
		parts.Read(false)
		act(t, path, step{do: "append", text: string(data[cut:])})
		parts.Read(true)
		if a, b := show(whole.Rows()), show(parts.Rows()); a != b || whole.Trouble() != parts.Trouble() {
			t.Errorf("whole: %s %s\nin parts: %s %s", a, whole.Trouble(), b, parts.Trouble())
		}
		for i, r := range whole.Rows() {
			if i > 0 && r.Epoch <= whole.Rows()[i-1].Epoch {
				t.Errorf("epoch %d at place %d", r.Epoch, i)
			}
			if _, ok := r.Values["epoch"]; ok {
				t.Error("the epoch is among the values")
			}
		}
	})
}
