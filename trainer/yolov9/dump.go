package yolov9

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The files opt.yaml and hyp.yaml are what PyYAML dumps of a dictionary of scalars, with one dictionary and lists of
// scalars in it, in block style. mappingOf reads just that: such a file comes from anywhere, and no general parser is
// needed, with its ways of taking forever.

// mappingOf reads a dumped dictionary. Values are nil, bool, int64, float64, string, []any or map[string]any.
func mappingOf(data []byte) (map[string]any, error) {
	const most = 256 << 10
	if len(data) > most {
		return nil, errors.New("is too large for a file of settings")
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not YAML: not UTF-8")
	}
	m := map[string]any{}
	inside := m     // where keys of the current line go
	var open string // the last key at the top that had no value of its own
	var key string  // the last key
	n := 0
	for raw := range bytes.Lines(data) {
		n++
		line := strings.TrimRight(string(raw), "\r\n ")
		text := strings.TrimLeft(line, " ")
		indented := len(text) < len(line)
		item, isItem := strings.CutPrefix(text, "- ")
		name, value, isKey := cutKey(text)
		switch {
		case text == "", strings.HasPrefix(text, "#"), text == "---":
		case isItem && open != "":
			list, _ := m[open].([]any)
			m[open] = append(list, dumped(item))
		case indented && isKey && open != "" && !isList(m[open]):
			inner, _ := m[open].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
				m[open] = inner
			}
			inside, key = inner, name
			inner[name] = dumped(value)
		case indented && key != "": // a long text goes on
			if s, ok := inside[key].(string); ok {
				inside[key] = dumped(s + " " + text)
				continue
			}
			return nil, fmt.Errorf("not YAML of settings: line %d: %.60q", n, text)
		case !indented && isKey:
			inside, key, open = m, name, ""
			m[name] = dumped(value)
			if value == "" {
				open = name
			}
		default:
			return nil, fmt.Errorf("not YAML of settings: line %d: %.60q", n, text)
		}
	}
	if len(m) == 0 {
		return nil, errors.New("has no settings")
	}
	return m, nil
}

func isList(v any) bool { _, ok := v.([]any); return ok }

// cutKey splits "key: value".
func cutKey(text string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(text, ":")
	if !ok || value != "" && value[0] != ' ' || key == "" || strings.ContainsAny(key, " \"'[]{},") {
		return "", "", false
	}
	value = strings.TrimSpace(value)
	if i := strings.Index(value, " #"); i >= 0 && !strings.ContainsAny(value[:1], "\"'") { // a hyp file that somebody wrote has comments
		value = strings.TrimSpace(value[:i])
	}
	if strings.HasPrefix(value, "#") {
		value = ""
	}
	return key, value, true
}

// dumped is a scalar, or a list in brackets.
func dumped(text string) any {
	switch text {
	case "", "null", "~", "Null", "NULL":
		return nil
	case "true", "True", "yes":
		return true
	case "false", "False", "no":
		return false
	case "''", `""`:
		return ""
	}
	if n := len(text); n > 1 {
		switch {
		case text[0] == '\'' && text[n-1] == '\'':
			return strings.ReplaceAll(text[1:n-1], "''", "'")
		case text[0] == '"' && text[n-1] == '"':
			if s, err := strconv.Unquote(text); err == nil {
				return s
			}
		case text[0] == '[' && text[n-1] == ']':
			list := []any{}
			for part := range strings.SplitSeq(text[1:n-1], ",") {
				if part = strings.TrimSpace(part); part != "" && !strings.ContainsAny(part, "[]") {
					list = append(list, dumped(part))
				}
			}
			return list
		}
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	if c := text[0]; c == '.' || c == '-' || c == '+' || c >= '0' && c <= '9' {
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return x
		}
	}
	return text
}
