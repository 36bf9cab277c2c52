package native

import (
	"context"
	"fmt"
	"math"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trials"
)

// Review names factors that cannot matter in the study's configuration, of which the first steps alone would say that
// nothing reads them, or could say nothing.
func (b *Backend) Review(ctx context.Context, params trials.Params, levels map[string][]any, _ bool) ([]trainer.Finding, error) {
	_, effective, err := b.model.resolve(params)
	if err != nil {
		return nil, nil // the steps tell
	}
	values := func(name string) []any { // that the study gives a knob
		return append([]any{effective[name]}, levels[name]...)
	}
	var out []trainer.Finding
	add := func(name, reason, remedy string) {
		out = append(out, trainer.Finding{Knob: name, Verdict: trainer.Conditional, Reason: reason, Remedy: remedy})
	}
	if _, asked := levels["warmup_floor"]; asked {
		least, err := b.leastWarmup(ctx, smallest(values("warmup_epochs")))
		if err != nil {
			return nil, err
		}
		if largest(levels["warmup_floor"]) <= least {
			add("warmup_floor", fmt.Sprintf("matters above %g steps only, which is how long warmup_epochs makes the warm-up", least),
				fmt.Sprintf("choose a floor above %g, or lower warmup_epochs", least))
		}
	}
	if _, asked := levels["patience"]; asked {
		if used := b.cfg.Epochs - 2; smallestOver(0, levels["patience"]) > float64(used) {
			add("patience", fmt.Sprintf("a run of %d epochs can wait for %d at most before its last", b.cfg.Epochs, max(0, used)), "choose a smaller patience, or more epochs")
		}
	}
	if _, asked := levels["patience_metric"]; asked && largest(values("patience")) == 0 {
		add("patience_metric", "matters with patience only", "set patience")
	}
	if _, asked := levels["lrf"]; asked && len(levels["schedule"]) == 0 && effective["schedule"] == "fixed" {
		add("lrf", "schedule: fixed does not read it", "choose another schedule")
	}
	if _, asked := levels["sync_bn"]; asked && b.cfg.GPUs < 2 {
		add("sync_bn", "with one GPU a trial the statistics of the batch are those of its share", "set trainer.gpus to 2 or more")
	}
	return out, nil
}

// leastWarmup is the fewest steps that so many epochs of warm-up have on any of the data sets.
func (b *Backend) leastWarmup(ctx context.Context, epochs float64) (float64, error) {
	least := math.Inf(1)
	for _, ref := range b.cfg.Data {
		d, err := b.dataset(ctx, ref)
		if err != nil {
			return 0, err
		}
		least = min(least, epochs*float64(len(d.Train)/b.cfg.Batch))
	}
	return least, nil
}

func smallest(values []any) float64 { return smallestOver(math.Inf(-1), values) }

// smallestOver is the smallest of the values above a limit; +Inf if there is none.
func smallestOver(limit float64, values []any) float64 {
	least := math.Inf(1)
	for _, v := range values {
		if x, ok := trials.Number(v); ok && x > limit {
			least = min(least, x)
		}
	}
	return least
}

func largest(values []any) float64 {
	most := math.Inf(-1)
	for _, v := range values {
		if x, ok := trials.Number(v); ok {
			most = max(most, x)
		}
	}
	return most
}
