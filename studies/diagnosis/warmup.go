package diagnosis

import "math"

const (
	warmUpShare = 1.0 / 3 // of training that is a long warm-up
	floorSteps  = 100     // least warm-up of the official scripts
)

// warmUp compares warm-up with the length of training, and finds settings that the official floor makes equal.
func warmUp(t *trace) (Finding, bool) {
	f := Finding{State: Healthy, Source: fromUs,
		Threshold: "warm-up as long as training or longer; from a third of it on: to watch"}
	if t.Backend == backendYOLOv9 {
		f.Threshold += "; a warm-up shorter than the floor of 100 steps: to watch"
		f.Source += "; the floor: official code (train.py, train_dual.py)"
	}
	epochs, ok := t.number("warmup_epochs")
	if !ok {
		if t.Backend != backendYOLOv9 && t.Backend != backendNative {
			return unknown(f.Threshold, f.Source, "the trial has no parameter warmup_epochs, and mapsweep does not know the program's warm-up"), true
		}
		epochs = 3 // the default of both
	}
	planned := t.Planned
	if planned <= 0 {
		return unknown(f.Threshold, f.Source, "the planned number of epochs is not recorded"), true
	}
	share := epochs / float64(planned)
	f.Numbers = []Number{{Name: "warm-up asked for", Value: epochs, Unit: Epochs}, {Name: "training", Value: float64(planned), Unit: Epochs}}
	saturated := false
	if t.Backend == backendYOLOv9 && t.Train == 0 && share < 1 { // the floor may make it longer, and nothing shorter
		return unknownWith(f, unknown(f.Threshold, f.Source, "the number of training pictures is not recorded, and with it that of steps in an epoch")), true
	}
	if t.Backend == backendYOLOv9 && t.Train > 0 {
		perEpoch := math.Ceil(float64(t.Train) / float64(t.batch()))
		floor := float64(floorSteps)
		if v, ok := t.number("warmup_floor"); ok {
			floor = v
		}
		steps := math.RoundToEven(epochs * perEpoch)
		saturated = steps < floor
		total := perEpoch * float64(planned)
		share = max(steps, floor) / total
		f.Numbers = append(f.Numbers, Number{Name: "steps in an epoch", Value: perEpoch, Unit: Steps}, Number{Name: "warm-up asked for", Value: steps, Unit: Steps},
			Number{Name: "warm-up in effect", Value: max(steps, floor), Unit: Steps}, Number{Name: "training", Value: total, Unit: Steps})
	}
	f.Numbers = append(f.Numbers, Number{Name: "warm-up as a share of training", Value: share, Unit: Share})
	switch {
	case share >= 1:
		f.State, f.Meaning = Problem, "Training ends before warm-up does: the learning rate that was asked for is never reached."
	case saturated:
		f.State, f.Meaning = Watch, "The official code warms up for 100 steps at least: a shorter warmup_epochs changes nothing, and trials that differ in it only are the same trial."
	case share > warmUpShare:
		f.State, f.Meaning = Watch, "A large part of training is warm-up."
	default:
		f.Meaning = "Warm-up is a small part of training."
		return f, true
	}
	if saturated {
		f.Levers = t.levers(warmUpFloor)
	} else {
		f.Levers = t.levers(warmUpLength)
	}
	if share > warmUpShare {
		f.Levers = append(f.Levers, t.levers(longer)...)
	}
	return f, true
}
