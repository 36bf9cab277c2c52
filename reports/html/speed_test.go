package html_test

import (
	"testing"

	"github.com/mapsweep/mapsweep/reports"
	"github.com/mapsweep/mapsweep/reports/html"
	"github.com/mapsweep/mapsweep/reports/internal/fixture"
	"github.com/mapsweep/mapsweep/trials"
)

// BenchmarkLight is what every trial of a study waits for, beside reading the database.
func BenchmarkLight(b *testing.B) {
	for name, mk := range map[string]maker{
		"25 arms x 5":    fixture.Many(24, 5).Build,
		"729 arms x 1":   fixture.Factorial(6, 1).Build,
		"243 arms x 5":   fixture.Factorial(5, 5).Build,
		"729 factors":    fixture.Many(728, 1).Build,
		"search of 1000": func() (trials.Study, []trials.Trial) { return fixture.Search(1000) },
	} {
		b.Run(name, func(b *testing.B) {
			st, ts := mk()
			dir := b.TempDir()
			for b.Loop() {
				s, err := reports.New(st, ts)
				if err != nil {
					b.Fatal(err)
				}
				if err := html.WriteLight(dir, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
