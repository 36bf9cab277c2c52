package claims

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/mapsweep/mapsweep/trials"
)

// The file's form. Every key is known or refused.
type fileClaims struct {
	Source fileSource  `yaml:"source"`
	Claims []fileClaim `yaml:"claims"`
}

type fileSource struct {
	Title     string `yaml:"title"`
	Published string `yaml:"published"`
}

type fileClaim struct {
	ID          string         `yaml:"id"`
	Advice      string         `yaml:"advice"`
	From        fileParams     `yaml:"from"`
	Via         []fileParams   `yaml:"via"`
	To          fileParams     `yaml:"to"`
	Native      *fileContrast  `yaml:"native"`
	Requires    fileParams     `yaml:"requires"`
	Metric      string         `yaml:"metric"`
	MetricNamed bool           `yaml:"metric_named"`
	Direction   string         `yaml:"direction"`
	Unit        Unit           `yaml:"unit"`
	Expected    []float64      `yaml:"expected"`
	Reported    []fileReported `yaml:"reported"`
	Scene       fileScene      `yaml:"scene"`
	Margin      float64        `yaml:"margin"`
	Alpha       float64        `yaml:"alpha"`
	Official    fileOfficial   `yaml:"official"`
	Study       string         `yaml:"study"`
}

type (
	fileParams   map[string]any
	fileContrast struct {
		From fileParams   `yaml:"from"`
		Via  []fileParams `yaml:"via"`
		To   fileParams   `yaml:"to"`
	}
	fileReported struct {
		Value  *float64 `yaml:"value"`
		Spread *float64 `yaml:"spread"`
	}
	fileScene struct {
		Words      string          `yaml:"words"`
		Setting    fileParams      `yaml:"setting"`
		Conditions []fileCondition `yaml:"conditions"`
		Subset     []Subset        `yaml:"subset"`
	}
	fileCondition struct {
		Measure Measure  `yaml:"measure"`
		AtLeast *float64 `yaml:"at_least"`
		AtMost  *float64 `yaml:"at_most"`
		Above   *float64 `yaml:"above"`
		Below   *float64 `yaml:"below"`
	}
	fileOfficial struct {
		Judgement Judgement  `yaml:"judgement"`
		Fact      string     `yaml:"fact"`
		Lever     string     `yaml:"lever"`
		Needs     fileParams `yaml:"needs"`
	}
)

// maxFile bounds a file of claims: above any real one, and the time of the YAML parser grows with the square.
const maxFile = 32 << 10

// Parse reads a file of claims strictly and finds every fault of their contents at once. Name is for messages.
func Parse(src []byte, name string) (all []Claim, err error) {
	defer func() { // the parser must not take the program down on input that it does not understand
		if r := recover(); r != nil {
			all, err = nil, fmt.Errorf("read published claims %s: %v", name, r)
		}
	}()
	if len(src) > maxFile {
		return nil, fmt.Errorf("read published claims %s: %d bytes, at most %d are read", name, len(src), maxFile)
	}
	var file fileClaims
	if err := yaml.UnmarshalWithOptions(src, &file, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read published claims %s: %w", name, err)
	}
	lines := placesOf(src)
	var faults []error
	if file.Source.Title == "" || file.Source.Published == "" {
		faults = append(faults, errors.New("source lacks title or published"))
	}
	if len(file.Claims) == 0 {
		faults = append(faults, errors.New("there is no claim"))
	}
	for i, f := range file.Claims {
		c, wrong := f.claim(Source(file.Source))
		if slices.ContainsFunc(all, func(b Claim) bool { return b.ID == c.ID }) {
			wrong = append(wrong, errors.New("id is there twice"))
		}
		for _, err := range wrong {
			faults = append(faults, fmt.Errorf("%sclaim %d (%s): %w", lines.of(i, err), i+1, c.ID, err))
		}
		all = append(all, c)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("read published claims %s: %w", name, errors.Join(faults...))
	}
	return all, nil
}

// claim brings a decoded claim to the form that the other rooms use, with what is wrong with it.
func (f fileClaim) claim(from Source) (Claim, []error) {
	var faults []error
	params := func(at string, m fileParams) trials.Params {
		p, err := scalars(m)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", at, err))
		}
		return p
	}
	contrast := func(at string, from fileParams, via []fileParams, to fileParams) Contrast {
		c := Contrast{From: params(at+"from", from), To: params(at+"to", to)}
		for _, v := range via {
			c.Via = append(c.Via, params(at+"via", v))
		}
		return c
	}
	c := Claim{
		ID: f.ID, Source: from, Advice: f.Advice, Study: f.Study,
		Contrast: contrast("", f.From, f.Via, f.To), Requires: params("requires", f.Requires),
		Metric: f.Metric, Named: f.MetricNamed, Direction: trials.Maximize, Unit: f.Unit,
		Scene:  Scene{Words: f.Scene.Words, Setting: params("scene.setting", f.Scene.Setting), Subset: f.Scene.Subset},
		Margin: f.Margin, Alpha: f.Alpha,
		Official: Official{f.Official.Judgement, f.Official.Fact, f.Official.Lever, params("official.needs", f.Official.Needs)},
	}
	if f.Native != nil {
		native := contrast("native.", f.Native.From, f.Native.Via, f.Native.To)
		c.Native = &native
	}
	for _, k := range f.Scene.Conditions {
		c.Scene.Conditions = append(c.Scene.Conditions, Condition(k))
	}
	for _, r := range f.Reported {
		if r.Value == nil {
			faults = append(faults, errors.New("reported: a score has no value"))
			continue
		}
		c.Reported = append(c.Reported, Reported{*r.Value, r.Spread})
	}
	switch f.Direction {
	case "", "maximize":
	case "minimize":
		c.Direction = trials.Minimize
	default:
		faults = append(faults, fmt.Errorf("direction is %q: maximize or minimize", f.Direction))
	}
	switch len(f.Expected) {
	case 0:
	case 2:
		c.Expected = &Interval{f.Expected[0], f.Expected[1]}
	default:
		faults = append(faults, errors.New("expected is [low, high]"))
	}
	return c, append(faults, c.check()...)
}

// scalars are parameters with all numbers as float64, so that 1 and 1.0 are one value, in a hash too.
func scalars(m fileParams) (trials.Params, error) {
	if len(m) == 0 {
		return nil, nil
	}
	p := trials.Params{}
	for name, v := range m {
		s, err := trials.Scalar(v)
		if err != nil || s == nil {
			return nil, fmt.Errorf("%s is no text, number or truth value", name)
		}
		if x, ok := trials.Number(s); ok {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("%s is not finite", name)
			}
			s = x
		}
		p[name] = s
	}
	return p, nil
}

var idRule = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// check says what contradicts itself or is missing in a claim.
func (c Claim) check() []error {
	var faults []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	need(idRule.MatchString(c.ID), "id %q: lower-case letters, digits and dashes", c.ID)
	texts := map[string]string{"advice": c.Advice, "metric": c.Metric, "study": c.Study, "scene.words": c.Scene.Words}
	if o := c.Official; o.Judgement != "" || o.Fact != "" || o.Lever != "" || len(o.Needs) > 0 {
		texts["official.fact"], texts["official.lever"] = o.Fact, o.Lever
		need(o.Judgement == True || o.Judgement == Partly || o.Judgement == False, "official.judgement %q: true, partly true or false, in quotes", o.Judgement)
	}
	for _, what := range slices.Sorted(maps.Keys(texts)) {
		need(strings.TrimSpace(texts[what]) != "", "%s is missing", what)
	}
	need(c.Unit == Points || c.Unit == Ratio, "unit %q: points or ratio", c.Unit)
	need(c.Margin > 0 && !math.IsInf(c.Margin, 0), "margin %g: above 0", c.Margin)
	need(c.Alpha > 0 && c.Alpha < 1, "alpha %g: between 0 and 1", c.Alpha)
	faults = append(faults, c.checkContrast(c.Contrast, "")...)
	if c.Native != nil {
		faults = append(faults, c.checkContrast(*c.Native, "native: ")...)
		need(len(c.Native.Via) == len(c.Contrast.Via), "native goes in other steps than the contrast")
	}
	for _, k := range c.Scene.Conditions {
		if err := k.check(); err != nil {
			faults = append(faults, err)
		}
	}
	if _, err := c.Scene.Part(); err != nil {
		faults = append(faults, err)
	}
	for _, name := range c.Scene.Setting.Names() {
		need(slices.Contains(sceneSettings, name), "scene.setting.%s: one of %s", name, strings.Join(sceneSettings, ", "))
	}
	return append(faults, c.checkFigures()...)
}

// checkContrast holds the settings of a contrast against each other.
func (c Claim) checkContrast(k Contrast, at string) []error {
	var faults []error
	all := k.settings()
	if len(k.From) == 0 {
		return []error{errors.New(at + "from names no knob")}
	}
	for i, p := range all {
		if !slices.Equal(p.Names(), k.From.Names()) {
			faults = append(faults, fmt.Errorf("%sfrom, via and to do not name the same knobs", at))
			continue
		}
		if i > 0 && p.Key() == all[i-1].Key() {
			faults = append(faults, fmt.Errorf("%ssettings %d and %d are the same", at, i, i+1))
		}
	}
	for name := range c.Requires {
		if _, varied := k.From[name]; varied {
			faults = append(faults, fmt.Errorf("%s%s is both required and compared", at, name))
		}
	}
	return faults
}

// checkFigures holds expected and reported figures against each other.
func (c Claim) checkFigures() []error {
	var faults []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	n := len(c.Contrast.settings())
	need(len(c.Reported) == 0 || len(c.Reported) == n, "reported has %d scores for %d settings", len(c.Reported), n)
	need(len(c.Contrast.Via) == 0 || len(c.Reported) > 0 && c.Expected == nil, "a claim in steps has reported scores and no expected interval")
	for _, r := range c.Reported {
		need(r.Value > 0 && !math.IsInf(r.Value, 0), "reported %g: above 0", r.Value)
		need(r.Spread == nil || *r.Spread > 0, "reported: a spread is above 0")
	}
	if len(c.Reported) == n {
		for i := 1; i < n; i++ {
			d := effect(c.Unit, c.Reported[i-1].Value, c.Reported[i].Value)
			need(c.Gain(d) > 0, "reported scores %d and %d: the advice is to be an improvement, so write from and to the other way round", i, i+1)
		}
	}
	e := c.Expected
	if e == nil {
		return faults
	}
	need(e.Low <= e.High && !math.IsInf(e.Low, 0) && !math.IsInf(e.High, 0), "expected [%g, %g] is no interval", e.Low, e.High)
	need(c.gains(e).Low > 0, "expected [%g, %g]: the advice is to be an improvement, so write from and to the other way round", e.Low, e.High)
	if len(c.Reported) == 2 {
		d := effect(c.Unit, c.Reported[0].Value, c.Reported[1].Value)
		need(d >= e.Low && d <= e.High, "reported scores differ by %g, which expected [%g, %g] does not hold", d, e.Low, e.High)
	}
	return faults
}
