package reports

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/mapsweep/mapsweep/studies"
	"github.com/mapsweep/mapsweep/studies/inference/images"
	"github.com/mapsweep/mapsweep/trainer/evaluate"
	"github.com/mapsweep/mapsweep/trials"
)

// Pictures is how sure a block's scores and effects are over seeds and validation pictures.
type Pictures struct {
	images.Result // arms in the block's order; effects against its reference, none without one
	Draws         int
	Pictures      int      // that were scored
	Notes         []string // whole sentences
}

// LoadMatches reads what the snapshot's complete trials keep of their detections. Trials without it are no error, and
// neither is what cannot be read: TwoLevel says so.
func LoadMatches(ctx context.Context, r trials.Reader, s *Snapshot) error {
	s.matches, s.unread = map[int]*evaluate.Matches{}, nil
	for _, b := range s.Blocks {
		for _, a := range b.Arms {
			for _, t := range a.Trials {
				if t.State != trials.Complete {
					continue
				}
				kept, err := r.Artifact(ctx, t.ID, evaluate.MatchesName)
				if errors.Is(err, trials.ErrNoArtifact) {
					continue
				}
				if err != nil {
					return fmt.Errorf("read matches of trial %d: %w", t.Number, err)
				}
				m, err := evaluate.DecodeMatches(kept.Data)
				if err != nil {
					s.unread = append(s.unread, fmt.Sprintf("The matches of trial %d cannot be read (%v); it is left out here.", t.Number, err))
					continue
				}
				s.matches[t.Number] = m
			}
		}
	}
	return nil
}

// Matches are those of a trial, by number; nil where it keeps none, or LoadMatches has not been called.
func (s *Snapshot) Matches(trial int) *evaluate.Matches { return s.matches[trial] }

// SubsetScore computes a metric from matches, which may be of a part of the objects and pictures:
// "mAP50-95@small+dense", "AP/car", "mAP50@class:car" (see images.ParseMetric).
func SubsetScore(m *evaluate.Matches, metric string) (float64, error) {
	p, err := images.ParseMetric(metric, m.Classes)
	if err != nil {
		return math.NaN(), err
	}
	v, ok := p.Score(m)
	if !ok {
		return math.NaN(), fmt.Errorf("%s: the scored pictures have no %s", metric, whatCounts(metric))
	}
	return v, nil
}

// whatCounts are the objects of a metric in words.
func whatCounts(metric string) string {
	if _, part, err := studies.CutMetric(metric); err == nil && part != (studies.Part{}) {
		return part.String()
	}
	return "object that it counts"
}

// Work that TwoLevel takes on, in steps of evaluate.Walk; a core does some 500 million a second.
const (
	pictureWork  = 10_000_000_000
	leastDraws   = 200
	pictureLimit = 40_000_000_000
)

// ErrNoPictures is wrapped by the errors of TwoLevel.
var ErrNoPictures = errors.New("no uncertainty over pictures")

// TwoLevel is the uncertainty of a block's objective over seeds and pictures, after LoadMatches. Where there can be
// none for the whole block the error says why; where only for an arm, its Reason does.
func (s *Snapshot) TwoLevel(ctx context.Context, b *Block) (Pictures, error) {
	var p Pictures
	arms := s.pictureArms(b)
	one := anyMatches(arms)
	if one == nil {
		return p, fmt.Errorf("%w: %s", ErrNoPictures, s.whyNoMatches())
	}
	metric, err := images.ParseMetric(s.Metric.Key, one.Classes)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoPictures, err)
	}
	work := images.Steps(arms, metric.Target)
	if work*leastDraws > pictureLimit {
		return p, fmt.Errorf("%w: there are too many trials and pictures to draw from in reasonable time", ErrNoPictures)
	}
	p.Draws = min(images.DefaultDraws, max(leastDraws, pictureWork/max(1, work)))
	p.Result, err = images.Analyse(ctx, arms, images.Options{Target: metric.Target, Images: metric.Pictures(one), Draws: p.Draws, Seed: uint64(s.Spec.Seed)})
	if err != nil {
		return p, fmt.Errorf("draw seeds and pictures: %w", err)
	}
	if _, ok := b.Reference(); !ok {
		p.Effects = nil
	}
	for _, e := range p.Arms {
		p.Pictures = max(p.Pictures, e.Images)
	}
	if p.Draws < images.DefaultDraws {
		p.Notes = append(p.Notes, fmt.Sprintf("%d draws instead of %d, to keep the time short.", p.Draws, images.DefaultDraws))
	}
	p.Notes = append(p.Notes, s.unlike(b, metric)...)
	p.Notes = append(p.Notes, s.unread...)
	return p, nil
}

// pictureArms are the block's arms with the matches of their scores.
func (s *Snapshot) pictureArms(b *Block) []images.Arm {
	var arms []images.Arm
	for _, a := range b.Arms {
		arm := images.Arm{Name: a.Name, Runs: map[int]*evaluate.Matches{}}
		for _, c := range a.Scores {
			if m := s.matches[c.Trial]; m != nil {
				arm.Runs[c.Replicate] = m
			}
		}
		arms = append(arms, arm)
	}
	return arms
}

func anyMatches(arms []images.Arm) *evaluate.Matches {
	for _, a := range arms {
		for _, rep := range slices.Sorted(maps.Keys(a.Runs)) {
			return a.Runs[rep]
		}
	}
	return nil
}

func (s *Snapshot) whyNoMatches() string {
	if s.Spec.NoMatches {
		return "the study was run with store_matches: false"
	}
	return "no complete trial has kept which detections matched"
}

// unlike says that the trials' own scores are computed otherwise than those of their matches.
func (s *Snapshot) unlike(b *Block, m images.Metric) []string {
	most := 0.
	for _, a := range b.Arms {
		for _, c := range a.Scores {
			if of := s.matches[c.Trial]; of != nil {
				if v, ok := m.Score(of); ok {
					most = max(most, math.Abs(v-c.Value))
				}
			}
		}
	}
	if most < 1e-6 {
		return nil
	}
	return []string{fmt.Sprintf("The scores here are COCO's average precision. The trials' own %s is computed otherwise and differs by up to %s.",
		s.Metric.Key, s.Metric.WithUnit(s.Metric.Rough(most)))}
}
