package sweep

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/design"
	"github.com/mapsweep/mapsweep/studies/inference"
	"github.com/mapsweep/mapsweep/trials"
)

// layOut lays out a fixed design.
func (r *run) layOut(ev *StudyStarted) error {
	if r.spec.Design == studies.DesignSearch {
		return nil
	}
	plan, err := design.Points(r.spec)
	if err != nil {
		return fmt.Errorf("plan design: %w", err)
	}
	ev.Notes, r.layout = plan.Notes, newLayout(r.spec, plan)
	if r.spec.Settle != nil {
		r.settling = &settling{asked: map[string]bool{}, told: map[string]inference.Verdict{}}
	}
	return nil
}

// enqueueDesign enqueues every point of a fixed design, or for variants that are to be settled what the study is sure to
// need now; those that are there already stay as they are.
func (r *run) enqueueDesign(ctx context.Context, ev *StudyStarted) (err error) {
	if err := r.storeAliases(ctx, r.layout.plan); err != nil {
		return err
	}
	for _, p := range r.layout.plan.Points {
		if !r.layout.planned[p.Key] {
			continue // further replicates come when a variant needs them
		}
		if err := r.enqueuePoint(ctx, p); err != nil {
			return err
		}
	}
	_, ev.Settled, err = r.advance(ctx)
	return err
}

// enqueuePoint enqueues a point of a fixed design; one that is there already stays as it is.
func (r *run) enqueuePoint(ctx context.Context, p design.Point) error {
	s := trials.Suggestion{Key: p.Key, Space: pointSpace(r.spec, p.Params), Params: p.Params, Attrs: map[string]json.RawMessage{
		trials.AttrArm:       trials.Attr(p.Arm),
		trials.AttrReplicate: trials.Attr(p.Replicate),
		trials.AttrSeed:      trials.Attr(p.Seed),
		trials.AttrData:      trials.Attr(p.Data),
	}}
	if _, err := r.Store.Enqueue(ctx, r.study.ID, s); err != nil {
		return fmt.Errorf("enqueue %s: %w", p.Key, err)
	}
	return nil
}

// storeAliases keeps with the study what its design cannot tell apart.
func (r *run) storeAliases(ctx context.Context, plan design.Plan) error {
	if plan.Resolution == "" {
		return nil
	}
	table := append([]design.Alias{}, plan.Aliases...)
	return r.Store.SetStudyAttrs(ctx, r.study.ID, map[string]json.RawMessage{trials.AttrAliases: trials.Attr(table)})
}

// pointSpace is the spec's space, with the baseline's and the point's own values among the choices.
func pointSpace(spec studies.Spec, params trials.Params) trials.Space {
	space := spec.Space().Clone()
	for i, p := range space {
		for _, values := range []trials.Params{spec.Baseline, params} {
			if v, ok := values[p.Name]; ok && p.Kind == trials.Categorical && !space[i].Contains(v) {
				space[i].Choices = append(space[i].Choices, v)
			}
		}
	}
	return space
}
