package loss

import (
	"errors"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
)

// Spec describes the loss of a training step as data, for whatever computes it: on the CPU [Training], on other devices
// kernels of their own.
type Spec struct {
	Method  assign.Method // of the assignment, of both heads
	Classes Classes       // how class losses are made
	Gains   Gains
	Aux     float64 // weight of the auxiliary head's loss; 0: there is no such head
	AuxMain bool    // the auxiliary head learns the main head's targets, not its own
}

// Training computes the losses of a network's heads on the CPU: Begin in each step, then Main and Aux, in this order, as
// layers.LossFunc.
type Training struct {
	Spec  Spec
	Parts Parts // of the main head at the last step, without gains

	main, aux Loss
	targets   *Targets // of the main head in this step; nil: not there yet
	truths    []Truth
}

// NewTraining makes it for so many threads; 0: 1.
func NewTraining(s Spec, threads int) *Training {
	l := Loss{Method: s.Method, Classes: s.Classes, Threads: threads}
	return &Training{Spec: s, main: l, aux: l}
}

// Begin sets the objects of the step's batch, ordered by image. They are read until the step ends.
func (t *Training) Begin(truths []Truth) { t.truths, t.targets = truths, nil }

// Main is the loss of the main head.
func (t *Training) Main(h Heads, dBox, dClass []float32) (float64, error) {
	targets, err := t.main.Assign(h, t.truths)
	if err != nil {
		return 0, err
	}
	t.targets = targets
	t.Parts, err = t.main.Evaluate(h, targets, t.Spec.Gains, 1, dBox, dClass)
	return t.Spec.Gains.Total(t.Parts), err
}

// Aux is the loss of the auxiliary head, with its weight.
func (t *Training) Aux(h Heads, dBox, dClass []float32) (float64, error) {
	targets, err := t.targets, error(nil)
	if !t.Spec.AuxMain {
		targets, err = t.aux.Assign(h, t.truths)
	}
	switch {
	case err != nil:
		return 0, err
	case targets == nil:
		return 0, errors.New("the auxiliary head comes before the main one, whose targets it is to learn")
	}
	p, err := t.aux.Evaluate(h, targets, t.Spec.Gains, t.Spec.Aux, dBox, dClass)
	return t.Spec.Aux * t.Spec.Gains.Total(p), err
}
