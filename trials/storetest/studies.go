package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func fullStudy(name string) trials.Study {
	return trials.Study{Name: name, Directions: []trials.Direction{trials.Maximize, trials.Minimize}, Objective: "mAP50-95",
		File: []byte("name: s # \xff not even UTF-8\n"), Resolved: json.RawMessage(`{"name":"s","lr0":1.0}`),
		Provenance: trials.Provenance{Version: "1.2.3", Commit: "abc", Cores: 2, Devices: []string{"cpu"},
			Data:  []trials.DataSource{{Name: "digits", Hash: "00ff", Classes: []string{"0", "1"}, Train: 10, Val: 5, Notes: []string{"broken: a.png"}}},
			Extra: map[string]string{"isa": "avx2"}},
		Attrs: map[string]json.RawMessage{"note": json.RawMessage(`{"a":[1,"x",null]}`)}}
}

func testStudies(t *testing.T, f *fixture) {
	if all, err := f.Studies(f.ctx); err != nil || len(all) != 0 {
		t.Fatalf("new store: %v, %v", all, err)
	}
	made, err := f.CreateStudy(f.ctx, fullStudy("s"))
	f.must(err)
	if made.ID == 0 || made.Created.IsZero() {
		t.Errorf("ID %d, created %v", made.ID, made.Created)
	}
	got, err := f.Study(f.ctx, "s")
	f.must(err)
	if !reflect.DeepEqual(got, made) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, made)
	}
	want := fullStudy("s")
	want.ID, want.Created = got.ID, got.Created
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stored\n%+v\nwant\n%+v", got, want)
	}
	_, err = f.CreateStudy(f.ctx, fullStudy("s"))
	f.is("second study of one name", err, trials.ErrStudyExists)
	_, err = f.Study(f.ctx, "S")
	f.is("unknown name", err, trials.ErrNoStudy)
	second := f.study("it's 100 % \"quoted\"; späte Studie")
	all, err := f.Studies(f.ctx)
	f.must(err)
	if len(all) != 2 || all[0].ID != made.ID || all[1].Name != second.Name {
		t.Errorf("list: %+v", all)
	}
	if trs, err := f.Trials(f.ctx, second.ID); err != nil || len(trs) != 0 {
		t.Errorf("trials of a new study: %v, %v", trs, err)
	}
}

func testUpdateStudy(t *testing.T, f *fixture) {
	st, err := f.CreateStudy(f.ctx, fullStudy("s"))
	f.must(err)
	change := st
	change.Name, change.Objective, change.Directions = "other", "", nil
	change.File, change.Resolved = []byte("new"), json.RawMessage(`{}`)
	change.Provenance = trials.Provenance{Version: "2"}
	change.Attrs = map[string]json.RawMessage{"other": json.RawMessage(`1`)}
	f.must(f.UpdateStudy(f.ctx, change))
	got, err := f.Study(f.ctx, "s")
	f.must(err)
	want := st
	want.File, want.Resolved, want.Provenance = change.File, change.Resolved, change.Provenance
	want.Attrs = map[string]json.RawMessage{"note": st.Attrs["note"], "other": json.RawMessage(`1`)} // nothing goes that it does not name
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	f.is("unknown study", f.UpdateStudy(f.ctx, trials.Study{ID: 99}), trials.ErrNoStudy)
}

func testStudyAttrs(t *testing.T, f *fixture) {
	st, err := f.CreateStudy(f.ctx, fullStudy("s"))
	f.must(err)
	second := f.study("second")
	set := func(attrs string) error {
		var m map[string]json.RawMessage
		f.must(json.Unmarshal([]byte(attrs), &m))
		return f.SetStudyAttrs(f.ctx, st.ID, m)
	}
	want := fullStudy("s")
	want.ID, want.Created = st.ID, st.Created
	for _, c := range []struct{ set, want string }{
		{`{}`, `{"note":{"a":[1,"x",null]}}`},
		{`{"a":1,"b":[null]}`, `{"a":1,"b":[null],"note":{"a":[1,"x",null]}}`},
		{`{"a":"é","note":null,"never there":null}`, `{"a":"é","b":[null]}`},
		{`{"a":null,"b":null}`, `{}`},
	} {
		f.must(set(c.set))
		got, err := f.Study(f.ctx, "s")
		f.must(err)
		want.Attrs = map[string]json.RawMessage{}
		f.must(json.Unmarshal([]byte(c.want), &want.Attrs))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %s:\n%+v\nwant\n%+v", c.set, got, want)
		}
	}
	f.is("unknown study", f.SetStudyAttrs(f.ctx, 99, nil), trials.ErrNoStudy)
	f.is("no name", set(`{"":1}`), trials.ErrInvalid)
	f.is("no JSON", f.SetStudyAttrs(f.ctx, st.ID, map[string]json.RawMessage{"ok": json.RawMessage("1"), "a": json.RawMessage("NaN")}), trials.ErrInvalid)
	if got, err := f.Study(f.ctx, "s"); err != nil || len(got.Attrs) != 0 {
		t.Errorf("refused attributes are there: %s, %v", got.Attrs, err)
	}
	if got, err := f.Study(f.ctx, "second"); err != nil || len(got.Attrs) != 0 || got.ID != second.ID {
		t.Errorf("another study got attributes: %s, %v", got.Attrs, err)
	}
}

// testStudyAttrsOfMany: attributes that several set at once beside changes of the study all stay.
func testStudyAttrsOfMany(t *testing.T, f *fixture) {
	const many = 20
	st := f.study("s")
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			if err := f.SetStudyAttrs(f.ctx, st.ID, map[string]json.RawMessage{fmt.Sprint("a", i): trials.Attr(i)}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			change := st.Clone()
			change.File, change.Attrs[fmt.Sprint("b", i)] = []byte{byte(i)}, trials.Attr(i)
			if err := f.UpdateStudy(f.ctx, change); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := f.Study(f.ctx, "s")
	f.must(err)
	if len(got.Attrs) != 2*many || len(got.File) != 1 {
		t.Errorf("%d attributes, want %d: %s", len(got.Attrs), 2*many, got.Attrs)
	}
}

func testInvalidStudies(t *testing.T, f *fixture) {
	for name, st := range map[string]trials.Study{
		"no name":       {Directions: []trials.Direction{trials.Maximize}},
		"long name":     {Name: strings.Repeat("é", 513), Directions: []trials.Direction{trials.Maximize}},
		"no direction":  {Name: "s"},
		"direction":     {Name: "s", Directions: []trials.Direction{"up"}},
		"resolved form": {Name: "s", Directions: []trials.Direction{trials.Maximize}, Resolved: json.RawMessage("{")},
		"attribute":     {Name: "s", Directions: []trials.Direction{trials.Maximize}, Attrs: map[string]json.RawMessage{"a": json.RawMessage("NaN")}},
	} {
		_, err := f.CreateStudy(f.ctx, st)
		f.is(name, err, trials.ErrInvalid)
	}
	if all, err := f.Studies(f.ctx); err != nil || len(all) != 0 {
		t.Errorf("refused studies are there: %v, %v", all, err)
	}
}
