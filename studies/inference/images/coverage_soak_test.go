//go:build soak

package images_test

import (
	"fmt"
	"testing"
)

// Intervals cover the truth in 95 % of studies, within 1 point, or more where a part of the variance that is truly
// zero cannot be told to be so ("chance"). 2,000 studies tell a rate to 0.5 points (one standard error).
func TestCoverageSoak(t *testing.T) {
	const studies, slack = 2000, .01 + 2*.005
	for name, w := range worlds {
		for _, n := range []int{3, 5, 12} {
			t.Run(fmt.Sprintf("%s/%d seeds", name, n), func(t *testing.T) {
				whole, _, _, _ := cover(t, w, n, studies, 200)
				if n > 3 && whole < .95-slack || n == 3 && whole < .91 {
					t.Errorf("%d seeds: covers %.3f", n, whole)
				}
				if name != "chance" && whole > .95+slack+.01 {
					t.Errorf("%d seeds: covers %.3f", n, whole)
				}
			})
		}
	}
}
