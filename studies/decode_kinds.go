package studies

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/mapsweep/mapsweep/trials"
)

// What is read otherwise than by the kind of its Go value: keys that take several shapes, and names of knobs.

func (l *textList) read(d *decoder, n *node, path string) {
	if s, ok := n.value.(string); ok && n.shape == scalar {
		*l = textList{s}
		return
	}
	for _, item := range n.items {
		if _, ok := item.value.(string); !ok && item.shape == scalar {
			d.fault(item, path, fmt.Sprintf("%s must be texts, not %s", path, describe(item)), "")
			return
		}
	}
	(*words)(l).read(d, n, path)
}

func (l *words) read(d *decoder, n *node, path string) {
	if n.shape != sequence {
		d.fault(n, path, fmt.Sprintf("%s must be a list of texts, not %s", path, describe(n)), `for instance ["first", "second"]`)
		return
	}
	for i, item := range n.items {
		s, ok := item.value.(string)
		if item.shape == scalar && !ok && item.value != nil {
			s, ok = item.text, true // an argument such as 5 is text all the same
		}
		if !ok {
			d.fault(item, index(path, i), fmt.Sprintf("%s must be text, not %s", index(path, i), describe(item)), "")
			continue
		}
		*l = append(*l, s)
	}
}

func (c *counts) read(d *decoder, n *node, path string) {
	if n.shape != sequence {
		d.fault(n, path, fmt.Sprintf("%s must be a list of whole numbers, not %s", path, describe(n)), "for instance [3, 5, 8, 12]")
		return
	}
	for i, item := range n.items {
		v, ok := item.value.(int64)
		if !ok || v < 1 || v > MaxTrials {
			d.fault(item, index(path, i), fmt.Sprintf("%s must be a whole number from 2, not %s", index(path, i), describe(item)), "")
			continue
		}
		*c = append(*c, int(v))
	}
}

// read takes the name of a design, or a mapping with options.
func (f *fileDesign) read(d *decoder, n *node, path string) {
	if n.shape == mapping {
		d.object(n, path, reflect.ValueOf(&f.designOptions).Elem())
		return
	}
	kind := fields(reflect.TypeFor[designOptions]())[0]
	d.scalar(n, path, reflect.ValueOf(&f.Kind).Elem(), kind)
}

// read takes a number of replicates, or a mapping.
func (f *fileReplicates) read(d *decoder, n *node, path string) {
	if n.shape == mapping {
		d.object(n, path, reflect.ValueOf(&f.replicateOptions).Elem())
		o := &f.replicateOptions
		for _, key := range []string{"max", "rule", "looks"} {
			if given := n.lookup(key); given != nil && o.Until == "" {
				d.fault(given, join(path, key), fmt.Sprintf("%s is read with until: settled only", join(path, key)), "add until: settled")
			}
		}
		if given := n.lookup("alpha"); given != nil && o.Alpha == 0 && given.value != nil && !given.refused {
			if x, ok := trials.Number(given.value); ok && x == 0 {
				d.fault(given, join(path, "alpha"), "replicates.alpha must be above 0", "for instance 0.05")
			}
		}
		if given := n.lookup("looks"); given != nil && given.shape == sequence && len(given.items) == 0 {
			d.fault(given, join(path, "looks"), "replicates.looks is empty", "for instance [3, 5, 8, 12]; leave it out for the default")
		}
		if given := n.lookup("count"); given != nil && o.Until != "" {
			d.fault(given, join(path, "count"), "replicates has both count and until", "leave count out, or until")
		}
		if given := n.lookup("looks"); given != nil && o.Rule == RuleAnytime {
			d.fault(given, join(path, "looks"), "rule anytime looks after every replicate and has no looks", "leave looks out")
		}
		return
	}
	count := fields(reflect.TypeFor[replicateOptions]())[0]
	d.scalar(n, path, reflect.ValueOf(&f.Count).Elem(), count)
}

func (l *levels) read(d *decoder, n *node, path string) {
	if n.shape != sequence {
		d.fault(n, path, fmt.Sprintf("%s must be a list of values, not %s", path, describe(n)), "for instance [0.3, 0]")
		return
	}
	for i, item := range n.items {
		if v, ok := d.plain(item, index(path, i)); ok {
			*l = append(*l, v)
		}
	}
}

func (p *fileParams) read(d *decoder, n *node, path string) {
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping of knobs to values, not %s", path, describe(n)), "for instance {lr0: 0.01}")
		return
	}
	*p = fileParams{}
	for _, e := range n.entries {
		name, at, ok := d.knob(e.key, path)
		if _, twice := (*p)[name]; twice {
			d.fault(e.key, at, fmt.Sprintf("duplicate key %q", name), "remove one of the two")
			continue
		}
		if v, good := d.plain(e.val, at); good && ok {
			(*p)[name] = v
		}
	}
}

func (p *fileEnv) read(d *decoder, n *node, path string) {
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping of variables to texts, not %s", path, describe(n)), "")
		return
	}
	*p = fileEnv{}
	for _, e := range n.entries {
		name := e.key.value.(string)
		if _, twice := (*p)[name]; twice {
			d.fault(e.key, join(path, name), fmt.Sprintf("duplicate key %q", name), "remove one of the two")
			continue
		}
		if e.val.shape != scalar || e.val.value == nil {
			d.fault(e.val, join(path, name), fmt.Sprintf("%s must be text, not %s", join(path, name), describe(e.val)), "")
			continue
		}
		s, ok := e.val.value.(string)
		if !ok {
			s = e.val.text
		}
		(*p)[name] = s
	}
}

func (p *fileColumns) read(d *decoder, n *node, path string) {
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping of metrics to columns, not %s", path, describe(n)), "for instance {mAP50: metrics/mAP50(B)}")
		return
	}
	*p = fileColumns{}
	for _, e := range n.entries {
		name := e.key.value.(string)
		at := join(path, name)
		if _, twice := (*p)[name]; twice {
			d.fault(e.key, at, fmt.Sprintf("duplicate key %q", name), "remove one of the two")
			continue
		}
		s, isText := e.val.value.(string)
		if !isText && e.val.value != nil {
			s = e.val.text
		}
		if s = strings.TrimSpace(s); e.val.shape != scalar || s == "" {
			d.fault(e.val, at, fmt.Sprintf("%s must be the name of a column, not %s", at, describe(e.val)), "")
			continue
		}
		(*p)[name] = s
	}
}

func (fs *fileFactors) read(d *decoder, n *node, path string) {
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping of knobs to levels, not %s", path, describe(n)), "for instance {mixup: [0.15, 0]}")
		return
	}
	seen := map[string]bool{}
	for _, e := range n.entries {
		name, at, ok := d.knob(e.key, path)
		if seen[name] {
			d.fault(e.key, at, fmt.Sprintf("duplicate factor %q", name), "put all levels into one list")
			continue
		}
		seen[name] = true
		f := namedFactor{name: name}
		switch e.val.shape {
		case sequence:
			f.Levels.read(d, e.val, at+".levels")
		case mapping:
			d.object(e.val, at, reflect.ValueOf(&f.fileFactor).Elem())
		default:
			d.fault(e.val, at, fmt.Sprintf("factor %s must be a list of levels or a mapping, not %s", name, describe(e.val)),
				"for instance [0.3, 0] or {low: 0, high: 0.5}")
		}
		if ok {
			*fs = append(*fs, f)
		}
	}
}

func (vs *fileVariants) read(d *decoder, n *node, path string) {
	if n.shape != mapping {
		d.fault(n, path, fmt.Sprintf("%s must be a mapping of names to knobs, not %s", path, describe(n)), "for instance {gentle: {lr0: 0.005, warmup_epochs: 1}}")
		return
	}
	for _, e := range n.entries {
		v := Variant{Name: e.key.value.(string)}
		at := join(path, v.Name)
		if contains(variantNames(*vs), v.Name) {
			d.fault(e.key, at, fmt.Sprintf("duplicate variant %q", v.Name), "remove one of the two")
			continue
		}
		var params fileParams
		params.read(d, e.val, at)
		v.Params = trials.Params(params)
		*vs = append(*vs, v)
	}
}

// knob reads the name of a knob.
func (d *decoder) knob(key *node, path string) (name, at string, ok bool) {
	name = key.value.(string)
	at = join(path, name)
	if name == "" || strings.ContainsAny(name, " \t\r\n=,") {
		d.fault(key, at, fmt.Sprintf("%q cannot name a knob", name), `a name has no spaces, commas and no "="`)
		return name, at, false
	}
	return name, at, true
}

// plain reads a scalar of any type.
func (d *decoder) plain(n *node, path string) (any, bool) {
	if n.shape != scalar {
		d.fault(n, path, fmt.Sprintf("%s must be one value, not %s", path, describe(n)), "")
		return nil, false
	}
	switch v := n.value.(type) {
	case nil:
		d.fault(n, path, path+" has no value", "write a value; to switch something off use 0, false or none")
		return nil, false
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d.fault(n, path, path+" is not a finite number", "")
			return nil, false
		}
	case string:
		if v == "" || strings.ContainsAny(v, "\r\n") {
			d.fault(n, path, path+" must be one line of text", "")
			return nil, false
		}
	}
	return n.value, true
}
