package trials_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/trials"
)

func TestMeets(t *testing.T) {
	p := trials.Params{"mosaic": 0.5, "mixup": int64(0), "autoaugment": "randaugment", "ema": true}
	for _, c := range []struct {
		name     string
		requires trials.Params
		want     bool
	}{
		{"nothing asked", nil, true},
		{"any number but zero is on", trials.Params{"mosaic": 1.0}, true},
		{"zero is off", trials.Params{"mixup": 0.15}, false},
		{"off is asked for and is off", trials.Params{"mixup": 0.0}, true},
		{"off is asked for and is on", trials.Params{"mosaic": int64(0)}, false},
		{"same text", trials.Params{"autoaugment": "randaugment"}, true},
		{"other text", trials.Params{"autoaugment": "none"}, false},
		{"text is no number", trials.Params{"autoaugment": 1.0}, false},
		{"truth value", trials.Params{"ema": true}, true},
		{"other truth value", trials.Params{"ema": false}, false},
		{"absent", trials.Params{"copy_paste": 0.3}, false},
		{"one of two", trials.Params{"ema": true, "mixup": 1.0}, false},
	} {
		if got := p.Meets(c.requires); got != c.want {
			t.Errorf("%s: Meets(%v) = %v, want %v", c.name, c.requires, got, c.want)
		}
	}
}
