package loss_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/assign"
	"github.com/mapsweep/mapsweep/trainer/native/loss"
)

// The losses of a step are those of its two heads alone; the auxiliary one learns its own targets or the main one's.
func TestTraining(t *testing.T) {
	main, truths := crowd()
	aux := main
	aux.Box, aux.Class = stream(len(main.Box), 5, 2), stream(len(main.Class), 6, 3)
	spec := loss.Spec{Method: assign.Method{TopK: 7, Alpha: 1, Beta: 4}, Classes: loss.Classes{Smoothing: 0.1}, Gains: gains, Aux: 0.25}
	for _, spec.AuxMain = range []bool{false, true} {
		one := loss.Loss{Method: spec.Method, Classes: spec.Classes}
		other := one
		box, class := make([]float32, len(main.Box)), make([]float32, len(main.Class))
		wantBox, wantClass := slices.Clone(box), slices.Clone(class)
		targets, err := one.Assign(main, truths)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := one.Evaluate(main, targets, gains, 1, wantBox, wantClass)
		if err != nil {
			t.Fatal(err)
		}
		step := loss.NewTraining(spec, 2)
		step.Begin(truths)
		v, err := step.Main(main, box, class)
		if err != nil || v != gains.Total(parts) || step.Parts != parts || !slices.Equal(box, wantBox) || !slices.Equal(class, wantClass) {
			t.Errorf("main head: %v, parts %+v, %v; want %v, %+v", v, step.Parts, err, gains.Total(parts), parts)
		}
		if !spec.AuxMain {
			if targets, err = other.Assign(aux, truths); err != nil {
				t.Fatal(err)
			}
		}
		p, err := other.Evaluate(aux, targets, gains, 0.25, wantBox, wantClass)
		if err != nil {
			t.Fatal(err)
		}
		v, err = step.Aux(aux, box, class)
		if err != nil || v != 0.25*gains.Total(p) || !slices.Equal(box, wantBox) || !slices.Equal(class, wantClass) {
			t.Errorf("auxiliary head, main's targets %v: %v, %v; want %v", spec.AuxMain, v, err, 0.25*gains.Total(p))
		}
		if step.Parts != parts {
			t.Error("the auxiliary head's parts are told as the main head's")
		}
		step.Begin(truths)
		if _, err := step.Aux(aux, box, class); (err != nil) != spec.AuxMain {
			t.Errorf("auxiliary head first, main's targets %v: %v", spec.AuxMain, err)
		}
	}
}
