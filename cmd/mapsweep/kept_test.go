package main

import (
	"testing"

	"github.com/mapsweep/mapsweep/studies"
)

func TestKept(t *testing.T) {
	base := studies.Spec{Replicates: 2, Keep: studies.Keep{Best: 3, Last: 1}, Trainer: studies.Trainer{Data: []string{"a", "b"}}}
	for _, c := range []struct {
		name   string
		search *studies.Search
		tune   *studies.Tune
		want   int
	}{
		{"fixed design", nil, nil, 4},
		{"pruned trials are gone", &studies.Search{Trials: 10, Pruner: "median"}, nil, 4},
		{"pruned trials may go on", &studies.Search{Trials: 10, Pruner: "asha"}, nil, 40},
		{"fewer of them than are kept", &studies.Search{Trials: 0, Pruner: "hyperband"}, nil, 4},
		{"tuning", nil, &studies.Tune{Trials: 20, Pruner: "median"}, 4},
		{"tuning whose pruned trials may go on", nil, &studies.Tune{Trials: 20, Pruner: "asha"}, 24},
	} {
		s := base
		s.Search, s.Tune = c.search, c.tune
		if got := kept(s); got != c.want {
			t.Errorf("%s: %d checkpoints, want %d", c.name, got, c.want)
		}
	}
}
