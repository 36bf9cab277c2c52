package trials

import (
	"encoding/json"
	"math"
)

// AttrForecast is a study attribute: the Forecast that was made before the study's first trial.
const AttrForecast = "mapsweep:forecast"

// Forecast is what a study was expected to take, tunings of its variants left out.
type Forecast struct {
	Trials       int     `json:"trials"`
	Parallel     int     `json:"parallel"`
	TrialSeconds float64 `json:"trial_seconds"`
	DeviceHours  float64 `json:"device_hours"` // P50
	P10          float64 `json:"device_hours_p10,omitempty"`
	P90          float64 `json:"device_hours_p90,omitempty"`
	Source       string  `json:"source"` // how a trial's time was measured, for people
}

// Wall is how long n trials were expected to take, in seconds: as many rounds as it takes with Parallel at a time.
func (f Forecast) Wall(n int) float64 {
	return math.Ceil(float64(n)/float64(max(1, f.Parallel))) * f.TrialSeconds
}

// Forecast reads AttrForecast; not ok if there is none, or one that knows no time.
func (s Study) Forecast() (f Forecast, ok bool) {
	raw, there := s.Attrs[AttrForecast]
	return f, there && json.Unmarshal(raw, &f) == nil && f.TrialSeconds > 0
}
