package studies

import (
	"path/filepath"
	"slices"
	"strings"
)

// The checks of what only backend command reads. Placeholders are that backend's own business.

// argumentsMark is the word of a command that stands for all parameters as arguments.
const argumentsMark = "{args}"

func (c *checker) arguments(t Trainer) {
	named := slices.Contains(t.Command, argumentsMark)
	for i, word := range t.Command {
		if word != argumentsMark && strings.Contains(word, argumentsMark) {
			c.add(index("trainer.command", i), "make it an item of its own", "%s becomes several arguments and cannot be part of %q", argumentsMark, word)
			return
		}
	}
	switch a := t.Arguments; {
	case a == nil && named:
		c.add("trainer.command", `for instance arguments: {each: "--{flag} {value}"}`, "trainer.command has %s, but trainer.arguments does not say how parameters are written", argumentsMark)
	case a == nil:
	case !named && len(t.Command) > 0:
		c.add("trainer.arguments", "put it where the parameters go", "trainer.arguments is there, but no item of trainer.command is %s", argumentsMark)
	case strings.TrimSpace(a.Each) == "":
		c.add("trainer.arguments.each", `for instance "--{flag} {value}" or "{name}={value}"`, "trainer.arguments.each is empty")
	case !strings.Contains(a.Each, "{value}"):
		c.add("trainer.arguments.each", `for instance "--{flag} {value}" or "{name}={value}"`, "trainer.arguments.each lacks {value}: a program would not learn the parameters")
	}
}

// ownMetrics begin the names of metrics that mapsweep measures itself while a program runs.
var ownMetrics = []string{"gpu/", "cpu/", "host/", "time/"}

func (c *checker) metrics(m *Metrics) {
	if m == nil {
		return
	}
	if m.Format != FormatTable {
		if m.File != "" || m.Epoch != "" || len(m.Columns) > 0 {
			c.add("trainer.metrics", "add format: csv", "file, epoch and columns of trainer.metrics are read with format: csv only")
		}
		return
	}
	if strings.TrimSpace(m.File) == "" {
		c.add("trainer.metrics.file", "for instance run/results.csv, relative to the trial's folder", "trainer.metrics lacks the key %q, which format csv needs", "file")
	}
	if filepath.IsAbs(m.File) && !strings.Contains(m.File, "{trial}") {
		c.add("trainer.metrics.file", "name it relative to the trial's folder, or with {dir} or {trial}", "all trials would write to the one file %s", m.File)
	}
	if m.First != 0 && m.First != 1 {
		c.add("trainer.metrics.first", "", "trainer.metrics.first must be 0 or 1, not %d", m.First)
	}
	if len(m.Columns) == 0 {
		c.add("trainer.metrics.columns", "for instance {mAP50: metrics/mAP50(B)}", "trainer.metrics lacks the key %q, which format csv needs", "columns")
		return
	}
	c.columns(m)
}

// columns checks that each column is read once, and that the objective is read.
func (c *checker) columns(m *Metrics) {
	var names []string
	for name := range m.Columns {
		names = append(names, name)
	}
	slices.Sort(names)
	by := map[string]string{}
	for _, name := range names {
		column := m.Columns[name]
		at := "trainer.metrics.columns." + name
		if name == "" || strings.ContainsAny(name, "\r\n") {
			c.add(at, "for instance mAP50", "%q cannot name a metric", name)
		}
		if column == m.Epoch {
			c.add(at, "", "%s is read from column %q, which has the number of the epoch", name, column)
		} else if first, twice := by[column]; twice {
			c.add(at, "leave one of them out", "%s and %s are read from one column, %q", first, name, column)
		}
		by[column] = name
	}
	for _, o := range []struct{ key, metric string }{{"metric", c.spec.Objective.Metric}, {"best_by", c.spec.Objective.BestBy}} {
		own := slices.ContainsFunc(ownMetrics, func(p string) bool { return strings.HasPrefix(o.metric, p) })
		if o.metric != "" && !own && !slices.Contains(names, o.metric) {
			c.add("objective."+o.key, didYouMean(o.metric, names), "objective.%s %s is not among trainer.metrics.columns", o.key, o.metric)
		}
	}
}

func (c *checker) checkpoint(p *Checkpoint) {
	if p == nil {
		return
	}
	if strings.TrimSpace(p.File) == "" {
		c.add("trainer.checkpoint.file", "for instance run/weights/last.pt, relative to the trial's folder", "trainer.checkpoint.file is empty")
	}
	if filepath.IsAbs(p.File) && !strings.Contains(p.File, "{trial}") {
		c.add("trainer.checkpoint.file", "name it relative to the trial's folder, or with {dir} or {trial}", "all trials would write to the one file %s", p.File)
	}
}
