package trainertest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"sync"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// FakeKnob is a knob of a FakeAuditor: where it acts, and how it misbehaves.
type FakeKnob struct {
	trials.Knob
	Channel string                   // where it acts first; what follows in the step and in later steps differs too; "": nowhere
	From    int                      // first step in which it acts; 0: 1
	Lever   bool                     // nothing reads it in the bare trainer
	Reads   func(v any) any          // what the trainer makes of its value; nil: the value
	Live    func(trials.Params) bool // whether anything reads it in a configuration; nil: always
	Fails   func(v any) string       // why the value cannot be run, or ""
	Crashes func(v any) bool         // the call does not come back with traces
	Late    string                   // Trace.Unjudged
	End     bool                     // it acts on the pictures of the last epoch, which Trace.End shows
	Echo    func(v any) any          // the effective value; nil: the value
}

// FakeAuditor is a Fake that can be traced, with scripted knobs.
type FakeAuditor struct {
	Fake
	Script   []FakeKnob
	Noise    float64 // relative difference of losses and gradients between any two runs
	SeedIn   string  // channel in which the seed acts first; "": ChannelInput
	Broken   error   // what every call returns
	Findings []trainer.Finding

	mu    sync.Mutex
	calls [][]trainer.Job
	runs  int
}

// Calls returns the jobs of each call of Trace.
func (f *FakeAuditor) Calls() [][]trainer.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([][]trainer.Job(nil), f.calls...)
}

// Knobs are those of the script.
func (f *FakeAuditor) Knobs() []trials.Knob {
	var all []trials.Knob
	for _, k := range f.Script {
		all = append(all, k.Knob)
	}
	return all
}

// Trace follows the script.
func (f *FakeAuditor) Trace(ctx context.Context, jobs []trainer.Job, opts trainer.TraceOptions) ([]trainer.Trace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, jobs)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if f.Broken != nil {
		return nil, f.Broken
	}
	var all []trainer.Trace
	for _, j := range jobs {
		t := trainer.Trace{Effective: trials.Params{}, Unjudged: map[string]string{}}
		for _, k := range f.Script {
			v, given := j.Params[k.Name]
			if !given {
				v = k.Default
			}
			t.Effective[k.Name] = v
			if k.Echo != nil {
				t.Effective[k.Name] = k.Echo(v)
			}
			if k.Late != "" {
				t.Unjudged[k.Name] = k.Late
			}
			if k.Crashes != nil && k.Crashes(v) {
				return nil, errors.New("exit status 139")
			}
			if k.Fails != nil {
				t.Failed = k.Fails(v)
			}
			if t.Failed != "" {
				break
			}
		}
		if t.Failed == "" {
			t.Steps = f.steps(j, opts)
			t.End = f.end(t, j)
		}
		all = append(all, t)
	}
	return all, nil
}

// end is what knobs make of the pictures of the last epoch, if any acts there.
func (f *FakeAuditor) end(t trainer.Trace, j trainer.Job) *trainer.Step {
	state, acts := fmt.Sprint("end ", j.Seed, t.Steps[0].Values[trainer.ChannelInput]), false
	for _, k := range f.Script {
		if k.End {
			acts = true
			state += " " + k.Name + "=" + trials.FormatValue(t.Effective[k.Name])
		}
	}
	if !acts {
		return nil
	}
	x := number(state)
	return &trainer.Step{Hashes: map[string]string{trainer.ChannelInput: fmt.Sprintf("%x", math.Float64bits(x))}, Values: map[string][]float64{trainer.ChannelInput: {x}}}
}

// steps makes a state of what has acted so far, and from it the numbers of each channel.
func (f *FakeAuditor) steps(j trainer.Job, opts trainer.TraceOptions) []trainer.Step {
	f.runs++
	full := trials.Params{}
	for _, k := range f.Script {
		full[k.Name] = k.Default
	}
	full = full.With(j.Params)
	state := ""
	var steps []trainer.Step
	for n := 1; n <= opts.Steps; n++ {
		s := trainer.Step{Hashes: map[string]string{}, Values: map[string][]float64{}}
		for i, c := range trainer.Channels {
			if seed := f.SeedIn; n == 1 && (seed == c || seed == "" && i == 0) {
				state += fmt.Sprint(" seed ", j.Seed)
			}
			for _, k := range f.Script {
				if k.Channel != c || max(1, k.From) != n || k.Lever && opts.Bare || k.Live != nil && !k.Live(full) {
					continue
				}
				v := full[k.Name]
				if k.Reads != nil {
					v = k.Reads(v)
				}
				state += " " + k.Name + "=" + trials.FormatValue(v)
			}
			seen := state
			if c == trainer.ChannelInput { // pictures do not depend on weights
				seen = f.inputState(j, full, opts, n)
			}
			x := number(fmt.Sprint(c, n, seen))
			if f.Noise > 0 && c != trainer.ChannelInput && c != trainer.ChannelRate {
				x *= 1 + f.Noise*math.Sin(float64(f.runs*31+n))
			}
			s.Values[c] = []float64{x}
			s.Hashes[c] = fmt.Sprintf("%x", math.Float64bits(x))
		}
		steps = append(steps, s)
	}
	return steps
}

func (f *FakeAuditor) inputState(j trainer.Job, full trials.Params, opts trainer.TraceOptions, step int) string {
	state := ""
	if f.SeedIn == "" || f.SeedIn == trainer.ChannelInput {
		state = fmt.Sprint("seed ", j.Seed)
	}
	for _, k := range f.Script {
		if k.Channel == trainer.ChannelInput && max(1, k.From) <= step && !(k.Lever && opts.Bare) && (k.Live == nil || k.Live(full)) {
			v := full[k.Name]
			if k.Reads != nil {
				v = k.Reads(v)
			}
			state += " " + k.Name + "=" + trials.FormatValue(v)
		}
	}
	return state
}

// number is between 1 and 2, and depends on the text.
func number(text string) float64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return 1 + float64(h.Sum64()>>11)/(1<<53)
}

// ReviewingFake is a FakeAuditor that also knows of its knobs without running.
type ReviewingFake struct{ *FakeAuditor }

// Review returns the findings on the knobs that it is asked about, and on the seed.
func (f ReviewingFake) Review(_ context.Context, _ trials.Params, levels map[string][]any, _ bool) ([]trainer.Finding, error) {
	if f.Broken != nil {
		return nil, f.Broken
	}
	var out []trainer.Finding
	for _, x := range f.Findings {
		if _, asked := levels[x.Knob]; asked || x.Knob == trials.AuditSeed {
			out = append(out, x)
		}
	}
	return out, nil
}
