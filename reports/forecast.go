package reports

import (
	"fmt"
	"math"
	"time"
)

// ForecastWords compares what the study was expected to take with what it took, once it is done: "forecast 5 min 0 s,
// took 5 min 40 s (+13 %)". It is "" without a forecast, and where times say nothing: nothing ran, or a budget or failures cut the study short.
func (s *Snapshot) ForecastWords() string {
	f, ok := s.Study.Forecast()
	c := s.Count
	if !ok || !c.Done() || s.Time.Wall <= 0 || c.Failed+c.Infeasible+c.Skipped > 0 {
		return ""
	}
	expected := f.Wall(c.Planned)
	many := ""
	if s.Sequential() { // how many there would be was open
		many = fmt.Sprintf(" for the %d trials that ran", c.Planned)
	}
	share := s.Time.Wall.Seconds()/expected - 1
	return fmt.Sprintf("forecast %s%s, took %s (%s %%)", Span(time.Duration(expected*float64(time.Second))), many, Span(s.Time.Wall), Signed(math.Round(100*share), 0))
}
