package studies

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known word that was most likely meant, or "" if none is near.
// Case, "_" and "-" count for little: Warmup-Epochs finds warmup_epochs.
func Nearest(word string, known []string) string {
	fold := strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace
	w := fold(strings.ToLower(word))
	if w == "" || len(w) > 64 {
		return ""
	}
	best, least := "", max(1, (len(w)+1)/3)+1
	for _, k := range known {
		f := fold(strings.ToLower(k))
		d := levenshtein.ComputeDistance(w, f)
		if d == 2 && sameLetters(w, f) { // two letters changed places: one slip
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

func sameLetters(a, b string) bool {
	x, y := []rune(a), []rune(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// didYouMean is a hint: the nearest known word, or all of them if none is near.
func didYouMean(word string, known []string) string {
	if n := Nearest(word, known); n != "" {
		return "did you mean " + quote(n) + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

func quote(s string) string { return `"` + s + `"` }
