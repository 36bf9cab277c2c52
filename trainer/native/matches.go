package native

import (
	"context"

	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// artifacts are the files that a finished run leaves for the database: the matches of the epoch that counts, which is
// the best one if there is a metric to choose it by, else the last. A run that cannot make them is no worse for it:
// its log says why.
func (r *run) artifacts(ctx context.Context) []trials.Artifact {
	if r.b.cfg.NoMatches {
		return nil
	}
	data, err := r.matches(ctx)
	if err != nil {
		r.log.printf("no matches: %v", err)
		r.b.log.Warn("no matches are kept", "trial", r.job.Number, "reason", err)
		return nil
	}
	return []trials.Artifact{{Name: evaluate.MatchesName, MediaType: evaluate.MatchesType, Data: data}}
}

// matches encodes the matches of the epoch that counts. Where its detections are not those of the last scoring, since
// another epoch was the best or the run was gone on with after its last epoch, they are made again from the weights.
// The run cannot be trained further then.
func (r *run) matches(ctx context.Context) ([]byte, error) {
	s := r.scorer
	at := len(r.curves)
	if r.best != nil {
		at = r.best.Epoch
	}
	if s.epoch != at {
		if at != len(r.curves) {
			if err := r.restore(r.path(bestName)); err != nil {
				return nil, err
			}
		}
		if err := r.detect(ctx); err != nil {
			return nil, err
		}
	}
	return evaluate.Match(s.truths, s.found, len(s.images), s.classes).Encode()
}
