package sweep

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/trials"
)

// EnqueuePoint adds one point to a study by hand: the study's baseline with params over it. It returns
// the trial that is there already if the point was enqueued by hand before.
func EnqueuePoint(ctx context.Context, store trials.Store, study string, params trials.Params) (trials.Trial, error) {
	st, err := store.Study(ctx, study)
	if err != nil {
		return trials.Trial{}, err
	}
	spec, err := StoredSpec(st)
	if err != nil {
		return trials.Trial{}, err
	}
	for _, name := range params.Names() {
		_, fixed := spec.Baseline[name]
		if _, varies := spec.Space().Lookup(name); !fixed && !varies {
			return trials.Trial{}, fmt.Errorf("enqueue point: study %q has no parameter %q", study, name)
		}
	}
	data := ""
	if len(spec.Trainer.Data) > 0 {
		data = spec.Trainer.Data[0]
	}
	s := trials.Suggestion{Key: "by-hand " + params.Key(), Space: pointSpace(spec, params), Params: spec.Baseline.With(params)}
	s.Attrs = map[string]json.RawMessage{trials.AttrArm: trials.Attr(params.Key()), trials.AttrReplicate: trials.Attr(0),
		trials.AttrSeed: trials.Attr(design.Seed(spec.Seed, 0)), trials.AttrData: trials.Attr(data)}
	return store.Enqueue(ctx, st.ID, s)
}
