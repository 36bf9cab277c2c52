package inference

import "encoding/json"

// number is a float64 that is null in JSON when it is NaN or infinite.
type number float64

// MarshalJSON writes null for what JSON cannot hold.
func (n number) MarshalJSON() ([]byte, error) {
	if x := float64(n); !isFinite(x) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// MarshalJSON writes null for a missing mean or spread.
func (s Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		N    int    `json:"n"`
		Mean number `json:"mean"`
		SD   number `json:"sd"`
	}{s.N, number(s.Mean), number(s.SD)})
}

// MarshalJSON writes null for missing numbers.
func (e Effect) MarshalJSON() ([]byte, error) {
	type plain Effect // its own numbers are hidden by the outer ones of the same name
	return json.Marshal(struct {
		plain
		Mean        number `json:"mean"`
		SD          number `json:"sd"`
		SE          number `json:"se"`
		DF          number `json:"df"`
		Low         number `json:"low"`
		High        number `json:"high"`
		P           number `json:"p"`
		Correlation number `json:"correlation"`
		PHolm       number `json:"p_holm"`
		WideLow     number `json:"wide_low"`
		WideHigh    number `json:"wide_high"`
	}{plain(e), number(e.Mean), number(e.SD), number(e.SE), number(e.DF), number(e.Low), number(e.High), number(e.P),
		number(e.Correlation), number(e.PHolm), number(e.WideLow), number(e.WideHigh)})
}

// MarshalJSON writes null for missing and infinite numbers.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		N         int    `json:"n"`
		Mean      number `json:"mean"`
		SD        number `json:"sd"`
		Low       number `json:"low"`
		High      number `json:"high"`
		SoFarLow  number `json:"so_far_low"`
		SoFarHigh number `json:"so_far_high"`
		E         number `json:"e"`
		ENow      number `json:"e_now"`
	}{s.N, number(s.Mean), number(s.SD), number(s.Low), number(s.High), number(s.SoFarLow), number(s.SoFarHigh), number(s.E), number(s.ENow)})
}

// MarshalJSON writes null for missing numbers.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value number `json:"value"`
		Low   number `json:"low"`
		High  number `json:"high"`
	}{number(e.Value), number(e.Low), number(e.High)})
}

// MarshalJSON writes null for missing numbers.
func (s Sizes) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Above       number `json:"above"`
		AboveLow    number `json:"above_low"`
		AboveHigh   number `json:"above_high"`
		D           number `json:"d"`
		DLow        number `json:"d_low"`
		DHigh       number `json:"d_high"`
		Significant bool   `json:"significant"`
		Meaningful  bool   `json:"meaningful"`
	}{number(s.Above), number(s.AboveLow), number(s.AboveHigh), number(s.D), number(s.DLow), number(s.DHigh), s.Significant, s.Meaningful})
}

// MarshalJSON writes null for missing numbers.
func (o Outlook) MarshalJSON() ([]byte, error) {
	type plain Outlook
	return json.Marshal(struct {
		plain
		Clear      number `json:"clear"`
		False      number `json:"false"`
		Equivalent number `json:"equivalent"`
		Open       number `json:"open"`
		Mean       number `json:"mean"`
	}{plain(o), number(o.Clear), number(o.False), number(o.Equivalent), number(o.Open), number(o.Mean)})
}

// MarshalJSON writes null for an infinite F, of arms that are ranked alike everywhere.
func (r Ranks) MarshalJSON() ([]byte, error) {
	type plain Ranks
	return json.Marshal(struct {
		plain
		F number `json:"f"`
	}{plain(r), number(r.F)})
}

// MarshalJSON writes the effect with the steps beside it.
func (c Course) MarshalJSON() ([]byte, error) {
	effect, err := json.Marshal(c.Effect)
	if err != nil {
		return nil, err
	}
	rest, err := json.Marshal(struct {
		Steps   []Step `json:"steps"`
		Settled bool   `json:"settled"`
		Done    bool   `json:"done"`
		Needs   int    `json:"needs"`
	}{c.Steps, c.Settled, c.Done, c.Needs})
	if err != nil {
		return nil, err
	}
	return append(append(effect[:len(effect)-1], ','), rest[1:]...), nil
}
