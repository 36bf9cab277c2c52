package design_test

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
)

// reference is what testdata/gen.py wrote.
type reference struct {
	Fracfact []struct {
		Generators   string
		Rows, Folded [][]float64
		Aliases      []string
	}
	PBDesign []struct {
		Factors int
		Rows    [][]float64
		Aliases [][]float64
	}
	Nested struct{ Rows, Aliases [][]float64 }
	Sobol  [][]uint32
}

func references(t *testing.T) reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// letters are k factors with two levels, called A, B ...
func letters(k int) []studies.Factor {
	var fs []studies.Factor
	for i := range k {
		fs = append(fs, studies.Factor{Name: studies.Letter(i), Levels: []any{int64(0), int64(1)}})
	}
	return fs
}

func sorted(rows [][]float64) [][]float64 {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, slices.Compare)
	return rows
}

// Runs and alias chains are those of pyDOE3's fracfact and fracfact_aliasing, and the folded runs those of its fold.
func TestFractionsOfPyDOE3(t *testing.T) {
	for _, c := range references(t).Fracfact {
		var l studies.Layout
		terms := strings.Fields(strings.ToUpper(c.Generators))
		for i, term := range terms {
			if len(term) > 1 {
				l.Generators = append(l.Generators, studies.Letter(i)+"="+term)
			}
		}
		// pyDOE3 names columns of the design, we name factors: the generators are written by position of the basic ones
		basics := map[rune]string{}
		for i, term := range terms {
			if len(term) == 1 {
				basics[rune(term[0])] = studies.Letter(i)
			}
		}
		for i, g := range l.Generators {
			left, right, _ := strings.Cut(g, "=")
			l.Generators[i] = left + "="
			for _, r := range right {
				l.Generators[i] += basics[r]
			}
		}
		rows, _, _, err := design.Fraction(letters(len(terms)), l, 1, 1)
		if err != nil {
			t.Fatalf("%s: %v", c.Generators, err)
		}
		if diff := cmp.Diff(sorted(c.Rows), sorted(rows)); diff != "" {
			t.Errorf("%s: %s", c.Generators, diff)
		}
		var names []string
		for _, f := range letters(len(terms)) {
			names = append(names, f.Name)
		}
		if diff := cmp.Diff(chains(c.Aliases), tableChains(design.AliasesOf(names, rows, 2))); diff != "" {
			t.Errorf("aliases of %s: %s", c.Generators, diff)
		}
		l.FoldOver = true
		if rows, _, _, err = design.Fraction(letters(len(terms)), l, 1, 1); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sorted(c.Folded), sorted(rows)); diff != "" {
			t.Errorf("%s folded over: %s", c.Generators, diff)
		}
	}
}

// chains reads "a = bcd" into the terms of up to two factors that it says are alike.
func chains(lines []string) []string {
	var out []string
	for _, line := range lines {
		terms := slices.DeleteFunc(strings.Split(strings.ToUpper(line), " = "), func(s string) bool { return len(s) > 2 })
		if len(terms) > 1 {
			out = append(out, strings.Join(terms, " "))
		}
	}
	slices.Sort(out)
	return out
}

func tableChains(table []design.Alias) []string {
	var out []string
	for _, a := range table {
		terms := []string{strings.Join(a.Term, "")}
		for _, w := range a.With {
			terms = append(terms, strings.Join(w, ""))
		}
		slices.SortFunc(terms, func(x, y string) int { return cmpTerm(x, y) })
		out = append(out, strings.Join(terms, " "))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func cmpTerm(x, y string) int {
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(x, y)
}

// Every fraction of the catalogue, and what is chosen beside it, has balanced columns that are orthogonal, distinct
// runs, the baseline among them, and the resolution that is asked for: by brute force over all products of few columns.
func TestChosenFractions(t *testing.T) {
	shapes := design.Shapes()
	for k := 3; k <= 9; k++ {
		shapes = append(shapes, [2]int{k, k}, [2]int{k, k - 1})
	}
	for _, s := range shapes {
		k, p := s[0], s[1]
		rows, words, _, err := design.Fraction(letters(k), studies.Layout{Runs: 1 << p}, 1, 1)
		if err != nil {
			t.Errorf("%d factors in %d runs: %v", k, 1<<p, err)
			continue
		}
		most := 8 // more is not looked for
		if k > 12 {
			most = 5
		}
		got, want := strength(rows, most-1), most
		if len(words) > 0 {
			want = min(want, len(strings.TrimPrefix(words[0], "-")))
		}
		if got != want || got < 3 {
			t.Errorf("%d factors in %d runs: resolution %d by brute force, shortest word %v", k, 1<<p, got, words[:min(1, len(words))])
		}
		if !slices.Equal(rows[0], slices.Repeat([]float64{-1}, k)) {
			t.Errorf("%d factors in %d runs: the baseline is not the first run: %v", k, 1<<p, rows[0])
		}
		distinct := map[string]bool{}
		for _, row := range rows {
			distinct[fmt.Sprint(row)] = true
		}
		if len(distinct) != 1<<p {
			t.Errorf("%d factors in %d runs: only %d are different", k, 1<<p, len(distinct))
		}
	}
}

// strength is the resolution: the least number of columns whose product is the same in all runs, at most most+1.
func strength(rows [][]float64, most int) int {
	k := len(rows[0])
	cols := make([][]uint64, k) // bits of the runs in which a factor is 1
	for j := range cols {
		cols[j] = make([]uint64, (len(rows)+63)/64)
		for i, row := range rows {
			if row[j] > 0 {
				cols[j][i/64] |= 1 << (i % 64)
			}
		}
	}
	found := most + 1
	products := make([][]uint64, most+1) // by size
	for i := range products {
		products[i] = make([]uint64, len(cols[0]))
	}
	var grow func(from, size int)
	grow = func(from, size int) {
		for j := from; j < k && size < found; j++ {
			n := 0
			for i, w := range products[size-1] {
				w ^= cols[j][i]
				products[size][i] = w
				n += bits.OnesCount64(w)
			}
			if n == 0 || n == len(rows) {
				found = size
			}
			if size+1 < found {
				grow(j+1, size+1)
			}
		}
	}
	grow(0, 1)
	return found
}

// A resolution that is asked for is reached in the least runs, and no fraction half the size has it.
func TestLeastRunsForAResolution(t *testing.T) {
	for _, c := range []struct{ k, resolution, runs int }{
		{3, 3, 4}, {3, 4, 8}, {4, 4, 8}, {5, 3, 8}, {5, 4, 16}, {5, 5, 16}, {6, 4, 16}, {6, 5, 32}, {6, 6, 32}, {7, 3, 8}, {7, 4, 16}, {8, 4, 16}, {8, 5, 64},
		{9, 4, 32}, {9, 5, 128}, {9, 6, 128}, {11, 5, 128}, {12, 5, 256}, {15, 3, 16}, {15, 4, 32}, {15, 5, 256}, {15, 7, 1024}, {16, 4, 32}, {17, 5, 256}, {18, 6, 512}, {23, 5, 512},
		{24, 6, 1024}, {25, 3, 32}, {25, 4, 64}, {12, 8, 1024}, {12, 9, 2048}, {5, 9, 32},
	} {
		l := studies.Layout{Resolution: c.resolution}
		rows, _, _, err := design.Fraction(letters(c.k), l, 1, 1)
		if err != nil {
			t.Errorf("%d factors, resolution %d: %v", c.k, c.resolution, err)
			continue
		}
		if len(rows) != c.runs {
			t.Errorf("%d factors, resolution %d: %d runs, want %d", c.k, c.resolution, len(rows), c.runs)
		}
		if got := strength(rows, min(c.resolution, 5)-1); got < min(c.resolution, 5) {
			t.Errorf("%d factors, resolution %d: has %d", c.k, c.resolution, got)
		}
		if _, _, _, err := design.Fraction(letters(c.k), studies.Layout{Resolution: c.resolution, Runs: c.runs / 2}, 1, 1); err == nil {
			t.Errorf("%d factors, resolution %d: half as many runs are not refused", c.k, c.resolution)
		}
	}
}

// Numbers of words of length 3 and 4 of the table of Chen, Sun and Wu (1993) for 16 and 32 runs, and of length 4 of
// Block and Mee (2005) for 128 runs.
func TestAberration(t *testing.T) {
	for _, c := range []struct{ k, runs, three, four int }{
		{6, 16, 0, 3}, {7, 16, 0, 7}, {8, 16, 0, 14}, {9, 16, 4, 14}, {10, 16, 8, 18}, {11, 16, 12, 26}, {12, 16, 16, 39}, {15, 16, 35, 105},
		{7, 32, 0, 1}, {8, 32, 0, 3}, {9, 32, 0, 6}, {10, 32, 0, 10}, {11, 32, 0, 25}, {12, 32, 0, 38}, {13, 32, 0, 55}, {14, 32, 0, 77}, {15, 32, 0, 105},
		{12, 128, 0, 1}, {13, 128, 0, 2}, {14, 128, 0, 3}, {15, 128, 0, 7}, {16, 128, 0, 10},
	} {
		_, words, _, err := design.Fraction(letters(c.k), studies.Layout{Runs: c.runs}, 1<<12, 1)
		if err != nil {
			t.Fatal(err)
		}
		n := map[int]int{}
		for _, w := range words {
			n[len(strings.TrimPrefix(w, "-"))]++
		}
		if n[3] != c.three || n[4] != c.four {
			t.Errorf("%d factors in %d runs: %d words of 3 and %d of 4, want %d and %d", c.k, c.runs, n[3], n[4], c.three, c.four)
		}
	}
}

// The alias table from the defining relation is that from the runs, signs and interactions of three included.
func TestAliasesFromRelationAndRuns(t *testing.T) {
	for _, c := range []struct {
		k int
		l studies.Layout
	}{
		{4, studies.Layout{}}, {5, studies.Layout{}}, {5, studies.Layout{Resolution: 3}}, {6, studies.Layout{Resolution: 3}}, {6, studies.Layout{Resolution: 3, FoldOver: true}},
		{7, studies.Layout{Resolution: 3, FoldOver: true}}, {7, studies.Layout{Runs: 16}}, {8, studies.Layout{Runs: 32}}, {9, studies.Layout{Runs: 16}},
		{5, studies.Layout{Generators: []string{"D=-AB", "E=AC"}}}, {3, studies.Layout{Generators: []string{"C=AB"}}},
	} {
		rows, _, table, err := design.Fraction(letters(c.k), c.l, 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range letters(c.k) {
			names = append(names, f.Name)
		}
		if diff := cmp.Diff(canonical(design.AliasesOf(names, rows, 3)), canonical(table)); diff != "" {
			t.Errorf("%d factors, %+v: %s", c.k, c.l, diff)
		}
	}
}

func canonical(table []design.Alias) []string {
	var out []string
	for _, a := range table {
		for i, w := range a.With {
			out = append(out, fmt.Sprintf("%s %s %.9f", strings.Join(a.Term, ""), strings.Join(w, ""), a.Weights[i]))
		}
	}
	slices.Sort(out)
	return out
}

func TestRoman(t *testing.T) {
	for n, want := range map[int]string{1: "I", 3: "III", 4: "IV", 5: "V", 8: "VIII", 9: "IX", 10: "X", 14: "XIV"} {
		if got := design.Roman(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
