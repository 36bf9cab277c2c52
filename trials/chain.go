package trials

import "slices"

// A trial that continues another one (AttrContinues) has only the epochs that it trained itself. The point's
// learning curve is that of the chain.

// Join is the curve of a trial that went on from another one: the earlier epochs, and then its own. An epoch that it trained anew
// replaces the earlier one and all that followed it. Neither argument is changed.
func Join(earlier, own []Measurement) []Measurement {
	n := len(earlier)
	if len(own) > 0 {
		if i := slices.IndexFunc(earlier, func(m Measurement) bool { return m.Epoch >= own[0].Epoch }); i >= 0 {
			n = i
		}
	}
	if n == 0 {
		return own
	}
	return slices.Concat(earlier[:n], own)
}

// Continues is the number of the trial whose checkpoint t went on from. Chains lead to lower numbers only.
func (t Trial) Continues() (int, bool) {
	n, ok := t.Integer(AttrContinues)
	return int(n), ok && n >= 0 && n < int64(t.Number)
}

// Curve is the joined curve of t and the trials that it continues; by finds a trial by number.
func (t Trial) Curve(by func(number int) (*Trial, bool)) []Measurement {
	n, ok := t.Continues()
	if !ok {
		return t.Measurements
	}
	earlier, ok := by(n)
	if !ok {
		return t.Measurements
	}
	return Join(earlier.Curve(by), t.Measurements)
}

// Joined lists the trials with the curves of their chains as measurements. Without chains it is ts itself.
func Joined(ts []Trial) []Trial {
	at := map[int]int{}
	chained := false
	for i, t := range ts {
		at[t.Number] = i
		_, ok := t.Continues()
		chained = chained || ok
	}
	if !chained {
		return ts
	}
	by := func(n int) (*Trial, bool) {
		i, ok := at[n]
		if !ok {
			return nil, false
		}
		return &ts[i], true
	}
	out := slices.Clone(ts)
	for i := range out {
		out[i].Measurements = ts[i].Curve(by)
	}
	return out
}
