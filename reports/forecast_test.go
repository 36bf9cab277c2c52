package reports_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/trials"
)

func TestForecastWords(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	study := func(f *trials.Forecast, change func([]trials.Trial) []trials.Trial) *reports.Snapshot {
		st, ts := tunedStudy(0, 2, scores(0, 0, 0, 0)) // 3 arms, 2 replicates
		for i := range ts {
			from := at.Add(time.Duration(i) * time.Minute)
			ts[i].Started, ts[i].Finished = from, from.Add(time.Minute)
			ts[i].Attempts = []trials.Attempt{{Number: 1, Started: from, Ended: from.Add(time.Minute)}}
		}
		if f != nil {
			st.Attrs = map[string]json.RawMessage{trials.AttrForecast: trials.Attr(*f)}
		}
		if change != nil {
			ts = change(ts)
		}
		s, err := reports.New(st, ts)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	five := &trials.Forecast{Trials: 6, Parallel: 1, TrialSeconds: 50}
	for _, c := range []struct {
		name   string
		f      *trials.Forecast
		change func([]trials.Trial) []trials.Trial
		want   string
	}{
		{"longer than thought", five, nil, "forecast 5 min 0 s, took 6 min 0 s (+20 %)"},
		{"two at a time were thought of", &trials.Forecast{Trials: 6, Parallel: 2, TrialSeconds: 120}, nil, "forecast 6 min 0 s, took 6 min 0 s (0 %)"},
		{"other numbers of trials than then", &trials.Forecast{Trials: 3, Parallel: 1, TrialSeconds: 120}, nil, "forecast 12 min, took 6 min 0 s (−50 %)"},
		{"no forecast", nil, nil, ""},
		{"a forecast that knew no time", &trials.Forecast{Trials: 6, Parallel: 1}, nil, ""},
		{"not done", five, func(ts []trials.Trial) []trials.Trial { return ts[:5] }, ""},
		{"with failures", five, func(ts []trials.Trial) []trials.Trial {
			ts[3].State, ts[3].Values = trials.Fail, nil
			return ts
		}, ""},
	} {
		if got := study(c.f, c.change).ForecastWords(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
