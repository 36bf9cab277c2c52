package studies

import (
	"fmt"
	"math/bits"
)

// A fraction of at most 2^mostExponent runs is chosen for the least aberration; larger ones are half fractions.
const mostExponent = 10

// capacity is the number of factors that 2^p runs take at a resolution, by exponent p, for resolutions 5 and 7: the
// greatest length of a binary linear code with p check digits and that distance (MacWilliams and Sloane, The Theory of
// Error-Correcting Codes, appendix A). An even resolution takes one factor more than the odd one below it in half the runs.
var capacity = map[int][mostExponent + 1]int{
	5: {4: 5, 5: 6, 6: 8, 7: 11, 8: 17, 9: 23, 10: 33},
	7: {6: 7, 7: 8, 8: 9, 9: 11, 10: 15},
}

// takes is the greatest number of factors in 2^p runs at a resolution of 3 or more.
func takes(resolution, p int) int {
	switch {
	case p < 1:
		return p
	case resolution == 3:
		return 1<<p - 1
	case resolution%2 == 0:
		return takes(resolution-1, p-1) + 1
	case p <= mostExponent:
		if n := capacity[resolution][p]; n > 0 {
			return n
		}
	}
	if p+1 >= resolution { // one generator, the product of all others
		return p + 1
	}
	return p
}

// FractionExponent chooses the size 2^p of a fractional factorial, before it is folded over. The error is a Fault.
func FractionExponent(factors []Factor, l Layout) (p int, err error) {
	k := len(factors)
	fault := func(key, hint, format string, args ...any) (int, error) {
		return 0, Fault{Path: "design." + key, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	if k > MostLetters {
		return 0, Fault{Path: "factors", Message: fmt.Sprintf("a fractional factorial takes at most %d factors, the study has %d", MostLetters, k), Hint: "use design plackett-burman"}
	}
	switch {
	case len(l.Generators) > 0:
		gs, err := Generators(factors, l.Generators)
		if err != nil {
			return 0, err
		}
		p = k - len(gs)
		if r := Resolution(gs); r < l.Resolution {
			return fault("resolution", "leave one of them out", "these generators have resolution %d, not %d", r, l.Resolution)
		}
		if l.Runs > 0 && l.Runs != 1<<p {
			return fault("runs", "leave it out", "%d generators for %d factors make %d runs, not %d", len(l.Generators), k, 1<<p, l.Runs)
		}
		return p, nil
	case l.Runs > 0:
		p = bits.Len(uint(l.Runs)) - 1
		if l.Runs != 1<<p {
			return fault("runs", fmt.Sprintf("%d or %d", 1<<p, 2<<p), "a fractional factorial has a power of 2 runs, not %d", l.Runs)
		}
		resolution := max(3, l.Resolution)
		switch {
		case p > k:
			return fault("runs", "add replicates instead", "%d runs are more than the %d combinations of %d factors", l.Runs, 1<<k, k)
		case takes(resolution, p) < k && l.Resolution > 0:
			return fault("runs", fmt.Sprintf("resolution %d needs %d runs", l.Resolution, 1<<leastExponent(k, l.Resolution)),
				"%d runs do not give %d factors resolution %d", l.Runs, k, l.Resolution)
		case takes(resolution, p) < k:
			return fault("runs", fmt.Sprintf("%d are enough", 1<<leastExponent(k, resolution)), "%d runs are too few for %d factors", l.Runs, k)
		case p > mostExponent && p < k-1:
			return fault("runs", fmt.Sprintf("up to %d, %d or %d", 1<<mostExponent, 1<<(k-1), 1<<k), "no fraction of %d runs is known for %d factors", l.Runs, k)
		}
		return p, nil
	}
	p = leastExponent(k, l.Wanted())
	if 1<<p > MaxPoints {
		return fault("resolution", "ask for a lower one, or give runs", "%d factors need 2^%d runs for resolution %d, more than %d", k, p, l.Wanted(), MaxPoints)
	}
	return p, nil
}

// Wanted is the least resolution of a fractional factorial before it is folded over: 4, or 3 if that makes it 4.
func (l Layout) Wanted() int {
	switch {
	case l.Resolution > 0:
		return l.Resolution
	case l.FoldOver:
		return 3
	}
	return 4
}

// leastExponent is the least p such that 2^p runs have the resolution, or all combinations.
func leastExponent(k, resolution int) int {
	for p := 1; p <= min(k, mostExponent); p++ {
		if takes(resolution, p) >= k {
			return p
		}
	}
	if k-1 > mostExponent && k >= resolution {
		return k - 1
	}
	return k
}

// mostScreened bounds the runs of a Plackett-Burman design.
const mostScreened = 96

// ScreeningRuns is the number of runs of a Plackett-Burman design, before it is folded over: a multiple of 4 above
// the number of factors for which a construction is known (all up to 96 but 52 and 92). The error is a Fault.
func ScreeningRuns(factors int, l Layout) (int, error) {
	known := func(n int) bool { return n%4 == 0 && n <= mostScreened && n != 52 && n != 92 }
	least := factors/4*4 + 4
	for !known(least) && least < mostScreened {
		least += 4
	}
	switch {
	case factors >= mostScreened:
		return 0, Fault{Path: "factors", Message: fmt.Sprintf("a Plackett-Burman design takes at most %d factors here, the study has %d", mostScreened-1, factors)}
	case l.Runs == 0:
		return least, nil
	case l.Runs%4 != 0:
		return 0, Fault{Path: "design.runs", Message: fmt.Sprintf("a Plackett-Burman design has a multiple of 4 runs, not %d", l.Runs), Hint: fmt.Sprintf("the next is %d", (l.Runs/4+1)*4)}
	case l.Runs <= factors:
		return 0, Fault{Path: "design.runs", Message: fmt.Sprintf("%d runs are too few for the main effects of %d factors", l.Runs, factors), Hint: fmt.Sprintf("%d are enough", least)}
	case !known(l.Runs):
		return 0, Fault{Path: "design.runs", Message: fmt.Sprintf("no Plackett-Burman design of %d runs is known here", l.Runs), Hint: fmt.Sprintf("%d are enough", least)}
	}
	return l.Runs, nil
}
