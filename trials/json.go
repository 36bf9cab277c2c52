package trials

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// literals are what Python's json module writes for floats that JSON does not have.
var literals = []string{"NaN", "Infinity", "-Infinity"}

// CleanJSON makes JSON of what Python's json module wrote: NaN, Infinity and
// -Infinity become strings of the same text. It fails on anything else that is not JSON.
func CleanJSON(text string) (json.RawMessage, error) {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text), nil
	}
	var b bytes.Buffer
	for i := 0; i < len(text); {
		if text[i] == '"' {
			n := stringEnd(text[i:])
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		n := literalAt(text[i:])
		if n == 0 {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(`"` + text[i:i+n] + `"`)
		i += n
	}
	if !json.Valid(b.Bytes()) {
		return nil, fmt.Errorf("not JSON: %.60q", text)
	}
	return b.Bytes(), nil
}

// literalAt is the length of the Python literal that s begins with, or 0.
func literalAt(s string) int {
	for _, l := range literals {
		if strings.HasPrefix(s, l) {
			return len(l)
		}
	}
	return 0
}

// stringEnd is the length of the JSON string that s begins with.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// EncodeValue writes a scalar as JSON in which a float keeps its point (1.0), as
// Python does, so that DecodeValue gives the same type back. It refuses NaN and infinities.
func EncodeValue(v any) (string, error) {
	v, err := Scalar(v)
	if err != nil {
		return "", err
	}
	if f, ok := v.(float64); ok {
		return encodeFloat(f)
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func encodeFloat(f float64) (string, error) {
	b, err := json.Marshal(f) // refuses NaN and infinities
	if err != nil {
		return "", err
	}
	if bytes.ContainsAny(b, ".e") {
		return string(b), nil
	}
	return string(b) + ".0", nil
}

// EncodeParams writes parameters as a JSON object with sorted names, values as EncodeValue does.
func EncodeParams(p Params) (string, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range p.Names() {
		if i > 0 {
			b.WriteString(", ")
		}
		key, err := json.Marshal(name)
		if err != nil {
			return "", err
		}
		v, err := EncodeValue(p[name])
		if err != nil {
			return "", fmt.Errorf("encode %s: %w", name, err)
		}
		b.Write(key)
		b.WriteString(": " + v)
	}
	b.WriteByte('}')
	return b.String(), nil
}
