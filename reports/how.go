package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// How is the footnote of a table: how its numbers were made, in a few words each. What is not known is "".
type How struct {
	Design     string    `json:"design"`
	Replicates string    `json:"replicates"`
	Test       string    `json:"test"`
	Correction string    `json:"correction"`
	Level      float64   `json:"level"`  // chance of a false verdict
	Margin     float64   `json:"margin"` // half-width of the band of no practical weight, in the metric's unit; 0: none
	Score      string    `json:"score"`
	Trainer    string    `json:"trainer"`
	Hardware   string    `json:"hardware"`
	Version    string    `json:"version"`
	Commit     string    `json:"commit"`
	Data       []HowData `json:"data,omitempty"`
	Later      string    `json:"later,omitempty"` // what changed when the study went on elsewhere
	margin     string    // with its unit
}

// HowData is a data set and the hash of its pictures and boxes, both as recorded.
type HowData struct {
	Name string `json:"name"`
	Hash string `json:"sha256"`
}

// How says how the numbers of a block were made.
func (s *Snapshot) How(b *Block) How {
	p := s.Study.Provenance
	h := How{Hardware: hardware(p), Version: p.Version, Commit: p.Commit, Level: s.Spec.Rules.Level()}
	if s.Foreign() {
		h.Design, h.Test = "recorded by another program", "none"
		return h
	}
	h.Design, h.Replicates = designWords(s.Spec), replicateWords(s.Spec)
	h.Test, h.Correction = testWords(b), s.correctionWords(b)
	if h.Margin = b.Margin; b.Margin > 0 && len(b.Effects) > 0 {
		h.margin = s.MarginText(b)
	}
	h.Score = fmt.Sprintf("%s on the %s split %s", s.Metric.Key, cmp.Or(s.Spec.Objective.Split, "val"), epochWords(s.Spec))
	h.Trainer = strings.TrimPrefix(s.Spec.Trainer.Model+", "+cmp.Or(s.Spec.Trainer.Backend, p.Backend)+" trainer", ", ")
	for _, d := range s.Spec.Trainer.Data {
		h.Data = append(h.Data, HowData{Name: d, Hash: dataHash(p, d)})
	}
	for _, c := range s.Study.Continuations() {
		h.Later = strings.Join(p.Differences(c.Provenance), ", ")
	}
	return h
}

// MarginText is the block's margin with as many decimals as it needs, at least one, and its unit.
func (s *Snapshot) MarginText(b *Block) string {
	x, d := s.Metric.Scale(b.Margin), 1
	for ; d < 8; d++ {
		if y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', d, 64), 64); y == roundSignificant(x, 6) {
			break
		}
	}
	return s.Metric.WithUnit(Number(x, d))
}

func dataHash(p trials.Provenance, name string) string {
	for _, d := range p.Data {
		if d.Name == name {
			return d.Hash
		}
	}
	return ""
}

// Lines are the footnote's sentences.
func (h How) Lines() []string {
	var lines []string
	say := func(parts ...string) {
		parts = slices.DeleteFunc(parts, func(t string) bool { return t == "" })
		if len(parts) > 0 {
			lines = append(lines, Sentence(strings.Join(parts, "; ")))
		}
	}
	how := ""
	if h.Design != "" {
		how = "design: " + h.Design
	}
	say(how, h.Replicates)
	if h.Test != "" && h.Test != "none" {
		test := h.Test + " at the level " + trials.FormatValue(h.Level)
		if h.Correction != "" {
			test += ", " + h.Correction
		}
		margin := ""
		if h.margin != "" {
			margin = "margin ±" + h.margin
		}
		say("test: "+test, margin)
	}
	score := ""
	if h.Score != "" {
		score = "score: " + h.Score
	}
	say(score, h.Trainer)
	var data []string
	for _, d := range h.Data {
		data = append(data, d.Name+" ("+cmp.Or(Short(d.Hash), "hash not recorded")+")")
	}
	if len(data) > 0 {
		say("data: " + strings.Join(data, ", "))
	}
	say(h.Made())
	if h.Later != "" {
		say("later trials: " + h.Later)
	}
	return lines
}

// Made is the machine and the program: "Example CPU, 2 cores; mapsweep 0.1.0, commit 0123456789ab".
func (h How) Made() string {
	var parts []string
	if h.Hardware != "" {
		parts = append(parts, "hardware: "+h.Hardware)
	}
	if h.Version != "" {
		program := "mapsweep " + h.Version
		if h.Commit != "" {
			program += ", commit " + Short(h.Commit)
		}
		parts = append(parts, program)
	}
	return strings.Join(parts, "; ")
}

// Short is the beginning of a hash, as people quote it.
func Short(hash string) string { return hash[:min(len(hash), 12)] }

func hardware(p trials.Provenance) string {
	var parts []string
	if p.CPU != "" {
		parts = append(parts, p.CPU)
		if p.Cores > 0 {
			parts = append(parts, Count(p.Cores, "core"))
		}
	}
	for _, d := range p.Devices {
		if d != "cpu" {
			parts = append(parts, d)
		}
	}
	return strings.Join(parts, ", ")
}

func designWords(spec studies.Spec) string {
	w := map[string]string{
		studies.DesignOneFactor: "one-factor", studies.DesignLeaveOneOut: "leave-one-out", studies.DesignFactorial: "full factorial",
		studies.DesignGrid: "grid", studies.DesignSearch: "search", studies.DesignFractional: "fractional factorial",
		studies.DesignPlackettBurman: "Plackett-Burman", studies.DesignLatinHypercube: "Latin hypercube", studies.DesignSobol: "Sobol points",
	}[spec.Design]
	w = cmp.Or(w, spec.Design)
	if l := spec.Layout; l != nil && l.FoldOver {
		w += " with fold-over"
	}
	if se := spec.Search; se != nil && spec.Design == studies.DesignSearch {
		w += " by " + se.Sampler
		if se.Pruner != "" && se.Pruner != "none" {
			w += ", pruned by " + se.Pruner
		}
	}
	return w
}

func replicateWords(spec studies.Spec) string {
	n := max(1, spec.Replicates)
	switch {
	case spec.Settle != nil && spec.Settle.Rule == studies.RuleAnytime:
		return fmt.Sprintf("replicates until settled, judged after every one, at most %d per variant", n)
	case spec.Settle != nil:
		return fmt.Sprintf("replicates until settled, judged at %s per variant", numbersWords(spec.Settle.Looks))
	}
	return Count(n, "replicate") + " per variant"
}

// numbersWords joins numbers: "3, 5 and 8".
func numbersWords(ns []int) string {
	var b strings.Builder
	for i, n := range ns {
		switch {
		case i > 0 && i == len(ns)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// testWords name the tests that the block's effects had.
func testWords(b *Block) string {
	seen := map[inference.Method]bool{}
	for _, e := range b.Effects {
		if finite(e.P) {
			seen[e.Method] = true
		}
	}
	switch {
	case seen[inference.Pooled]:
		return "t test with one standard deviation from all arms, not paired"
	case seen[inference.Paired] && seen[inference.Welch]:
		return "paired t test, and Welch's where seeds do not pair the arms"
	case seen[inference.Paired]:
		return "paired t test"
	case seen[inference.Welch]:
		return "Welch's t test"
	}
	return "none"
}

func (s *Snapshot) correctionWords(b *Block) string {
	m := Comparisons(b)
	name := s.Correction(b)
	switch {
	case m == 0:
		return ""
	case s.Spec.Settle != nil && name == correctionShares:
		w := "shared out"
		if k := len(s.Spec.Settle.Looks); k > 1 {
			w += fmt.Sprintf(" among %d looks and", k)
		} else {
			w += " among"
		}
		return w + " " + Count(m, "variant")
	case m == 1:
		return "1 comparison"
	}
	return fmt.Sprintf("%s correction over %d comparisons", possessive(name), m)
}

func possessive(name string) string {
	if name == "e-BH" {
		return "e-BH"
	}
	return name + "'s"
}

// correctionShares is the name of the correction that shares alpha out.
const correctionShares = "Bonferroni"

// Correction names how p values and verdicts of a block are corrected for the number of variants: as its effects say,
// or where none was tested, as the study's file does.
func (s *Snapshot) Correction(b *Block) string {
	for _, e := range b.Effects {
		switch e.Correction {
		case "":
		case inference.ByShares:
			return correctionShares
		default:
			return e.Correction.Name()
		}
	}
	switch c := s.Spec.Rules.Correction; {
	case c != "":
		return inference.Correction(c).Name()
	case s.Spec.Settle != nil:
		return correctionShares
	}
	return inference.ByHolm.Name()
}

// Comparisons is how many variants of a block could be tested: corrections count these.
func Comparisons(b *Block) int {
	n := 0
	for _, e := range b.Effects {
		n = max(n, e.Comparisons)
	}
	return n
}

func epochWords(spec studies.Spec) string {
	if spec.Objective.Epoch == "best" {
		return "at the best epoch of each trial"
	}
	if n := spec.Trainer.Epochs; n > 1 {
		return fmt.Sprintf("after the last of %d epochs", n)
	}
	return "after the last epoch"
}
