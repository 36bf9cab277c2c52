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
