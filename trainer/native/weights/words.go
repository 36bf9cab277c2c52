package weights

import (
	"encoding/json"
	"strconv"

	"github.com/nlpodyssey/gopickle/types"
)

// describe takes from a checkpoint the words about it that safetensors of this program have, too, where they are there:
// names (of classes, a JSON list; classes is the word of this program's own files), image_size (pixels a side, of the
// options of training), epoch (how many were finished) and part (average or weights). key is where the model stands
// among the checkpoint's entries, "" where it is all.
func (c *collector) describe(key string, of any, entries []types.DictEntry) {
	words := map[string]string{}
	if list := c.classNames(attribute(of, "names")); len(list) > 0 {
		if text, err := json.Marshal(list); err == nil {
			words["names"] = string(text)
		}
	}
	switch key {
	case "ema":
		words["part"] = "average"
	case "model":
		words["part"] = "weights"
	}
	for _, e := range entries {
		switch e.Key {
		case "epoch": // the last one, from 0; -1: training is over
			if n, ok := e.Value.(int); ok && n >= 0 {
				words["epoch"] = strconv.Itoa(n + 1)
			}
		case "opt":
			if n, ok := attribute(e.Value, "imgsz").(int); ok && n > 0 {
				words["image_size"] = strconv.Itoa(n)
			}
		}
	}
	if len(words) > 0 {
		c.set.Meta = words
	}
}

// classNames reads names of classes, a list or a dictionary by their numbers from 0; nil for anything else.
func (c *collector) classNames(v any) []string {
	var list []string
	add := func(v any) bool {
		s, ok := v.(string)
		if c.left -= int64(len(s)) + 1; !ok || c.left < 0 { // shared texts could be longer than the file
			return false
		}
		list = append(list, s)
		return true
	}
	switch n := v.(type) {
	case *types.List:
		for _, x := range *n {
			if !add(x) {
				return nil
			}
		}
	case *types.Dict:
		by := map[int]any{}
		for _, e := range *n {
			k, ok := e.Key.(int)
			if !ok {
				return nil
			}
			by[k] = e.Value
		}
		for k := range len(by) {
			if !add(by[k]) {
				return nil
			}
		}
	}
	return list
}

// attribute is that of a record or an entry of a dictionary; nil where there is none.
func attribute(v any, name string) any {
	if r, ok := v.(*record); ok {
		return r.attrs[name]
	}
	entries, _ := pairs(v)
	for _, e := range entries {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}
