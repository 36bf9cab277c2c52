package native

import (
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
	"github.com/mapsweep/mapsweep/trainer/native/optim"
	"github.com/mapsweep/mapsweep/trials"
)

// kinds are the optimisers by the values of the knob.
var kinds = map[string]optim.Kind{SGD: optim.BySGD, Adam: optim.ByAdam, AdamW: optim.ByAdamW, LION: optim.ByLION}

// optimiser describes how the run moves its weights.
func (r *run) optimiser() (optim.Spec, error) {
	params := r.net.Params()
	frozen, err := frozen(params, r.set.freeze)
	if err != nil {
		return optim.Spec{}, infeasible(err)
	}
	spec := r.solver()
	spec.Segments = optim.Segments(params, frozen...)
	return spec, nil
}

// solver is the optimiser without the weights that it moves.
func (r *run) solver() optim.Spec {
	s := &r.set
	decay := s.weightDecay
	if p := r.pace; p.Nominal > 0 {
		together := optim.Schedule{}.Accumulate(0, p.Batch, p.Nominal)
		decay *= float64(p.Batch*together) / float64(p.Nominal)
	}
	spec := optim.Spec{Kind: kinds[s.optimizer], Beta1: s.momentum, WeightDecay: decay, ClipNorm: s.clipNorm,
		AMSGrad: s.amsgrad, Sums: r.pace.Sums, Averages: s.ema, Average: s.average, Threads: r.threads()}
	spec.Average.Threads = spec.Threads
	return spec
}

// lossSpec describes the loss of the run.
func (r *run) lossSpec() loss.Spec {
	s := &r.set
	return loss.Spec{Method: s.method, Classes: s.classes, Gains: s.gains, Aux: s.aux, AuxMain: s.auxMain}
}

// submit gives the batch at hand to the engine, for the next step.
func (r *run) submit() error {
	u := r.pace.Next()
	if err := r.engine.submit(r.batch, u); err != nil {
		return err
	}
	r.pace.Done(u)
	return nil
}

// collect takes in what steps have seen; with wait, all that were submitted. A step that is not finite ends the run, at
// its place, whatever was submitted after it.
func (r *run) collect(wait bool) error {
	all, err := r.engine.results(wait)
	if err != nil {
		return err
	}
	for _, v := range all {
		if why := v.notFinite(); why != "" {
			return r.diverged(why, v)
		}
		r.sums.Box += v.parts.Box
		r.sums.Class += v.parts.Class
		r.sums.DFL += v.parts.DFL
		r.progress(v)
	}
	return nil
}

// notFinite says what of a step is not finite, or "".
func (v result) notFinite() string {
	switch {
	case !finite(v.loss):
		return fmt.Sprintf("the loss became %v", v.loss)
	case !finite(v.norm):
		return fmt.Sprintf("the norm of the gradients became %v", v.norm)
	}
	return ""
}

// diverged puts the run back to a step that is not finite, and is its failure.
func (r *run) diverged(why string, v result) error {
	r.pace.Back(v.Update)
	if finite(v.loss) { // weights would have moved
		r.pace.Done(v.Update)
	}
	return r.failed(why, v.Step/r.steps, v.Step%r.steps)
}

// failed is the failure of a run at step k of an epoch, both from 0.
func (r *run) failed(why string, epoch, k int) error {
	f := &trainer.Failure{Class: trials.ClassDiverged,
		Reason: fmt.Sprintf("%s at epoch %d of %d, step %d of %d", why, epoch+1, r.job.Epochs, k+1, r.steps)}
	r.log.printf("failed: %s", f.Reason)
	f.LogTail = r.log.tail()
	return f
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
