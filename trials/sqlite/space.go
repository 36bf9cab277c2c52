package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mapsweep/mapsweep/trials"
	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// encodeSpace writes a space as JSON from which all values come back with their types.
func encodeSpace(space trials.Space) (string, error) {
	if space == nil {
		space = trials.Space{}
	}
	b, err := json.Marshal(space)
	return string(b), err
}

// saveSpace finds a space in its study, or adds it.
func saveSpace(ctx context.Context, s *session, studyID int64, f *facts, space trials.Space) (storedSpace, error) {
	text, err := encodeSpace(space)
	if err != nil {
		return storedSpace{}, err
	}
	if known, ok := f.spaces[text]; ok {
		return known, nil
	}
	var stored storedSpace
	err = s.one(ctx, "SELECT space_id FROM mapsweep_spaces WHERE study_id = ? AND space = ?", []any{studyID, text}, &stored.id)
	if errors.Is(err, sql.ErrNoRows) {
		stored.id, err = s.insert(ctx, "INSERT INTO mapsweep_spaces (study_id, space) VALUES (?, ?)", studyID, text)
	}
	if err != nil {
		return stored, err
	}
	stored.space, err = decodeSpace(text)
	f.spaces[text] = stored
	return stored, err
}

func decodeSpace(text string) (trials.Space, error) {
	var space trials.Space
	if err := json.Unmarshal([]byte(text), &space); err != nil {
		return nil, fmt.Errorf("decode space: %w", err)
	}
	return space[:len(space):len(space)], nil // shared: whoever appends gets a copy
}

// saveParams writes the parameters that vary to Optuna's trial_params.
func saveParams(ctx context.Context, s *session, f *facts, t trials.Trial) error {
	args := make([]any, 0, 4*len(t.Space))
	for _, p := range t.Space {
		v, ok := t.Params[p.Name]
		if !ok {
			continue // its requirements are not met
		}
		p, text, err := settle(ctx, s, t.StudyID, f, p)
		if err != nil {
			return err
		}
		x, err := p.Internal(v)
		if err != nil {
			return err
		}
		args = append(args, t.ID, p.Name, x, text)
	}
	return s.execRows(ctx, "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)", "", 4, args)
}

// settle brings p in line with the distribution that its name has in the study. The
// first one is kept; a range may differ from trial to trial; new choices are appended
// to the old ones, in all trials, so that indices keep their meaning.
func settle(ctx context.Context, s *session, studyID int64, f *facts, p trials.Param) (trials.Param, string, error) {
	if known, ok := f.settled[p.Name]; ok && known.of(p) {
		return known.param, known.text, nil
	}
	settled, text, err := settleAnew(ctx, s, studyID, p)
	if err == nil {
		f.settled[p.Name] = distribution{asked: p, param: settled, text: text}
	}
	return settled, text, err
}

// of says that p is the description that was settled.
func (d distribution) of(p trials.Param) bool {
	a := d.asked
	return a.Kind == p.Kind && a.Low == p.Low && a.High == p.High && a.Step == p.Step && a.Log == p.Log && slices.Equal(a.Choices, p.Choices)
}

func settleAnew(ctx context.Context, s *session, studyID int64, p trials.Param) (trials.Param, string, error) {
	first, err := firstDistribution(ctx, s, studyID, p.Name)
	if errors.Is(err, sql.ErrNoRows) {
		text, err := optuna.EncodeDistribution(p)
		if err != nil {
			return p, "", err
		}
		return p, text, keepDistribution(ctx, s, studyID, p.Name, text)
	}
	if err != nil {
		return p, "", err
	}
	if err := first.Compatible(p); err != nil {
		return p, "", err
	}
	if p.Kind != trials.Categorical {
		text, err := optuna.EncodeDistribution(p)
		return p, text, err
	}
	n := len(first.Choices)
	for _, c := range p.Choices {
		if !first.Contains(c) {
			first.Choices = append(first.Choices, c)
		}
	}
	text, err := optuna.EncodeDistribution(first)
	if err != nil || len(first.Choices) == n {
		return first, text, err
	}
	err = s.exec(ctx, `UPDATE trial_params SET distribution_json = ?
		WHERE param_name = ? AND trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)`, text, p.Name, studyID)
	if err != nil {
		return first, "", err
	}
	return first, text, keepDistribution(ctx, s, studyID, p.Name, text)
}

// firstDistribution finds what a name means in a study: by our table, else by what Optuna wrote; sql.ErrNoRows if it is new.
func firstDistribution(ctx context.Context, s *session, studyID int64, name string) (trials.Param, error) {
	var text string
	err := s.one(ctx, "SELECT distribution_json FROM mapsweep_params WHERE study_id = ? AND name = ?", []any{studyID, name}, &text)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.one(ctx, `SELECT distribution_json FROM trial_params JOIN trials USING (trial_id)
			WHERE study_id = ? AND param_name = ? ORDER BY param_id LIMIT 1`, []any{studyID, name}, &text)
	}
	if err != nil {
		return trials.Param{}, err
	}
	return optuna.DecodeDistribution(name, text)
}

func keepDistribution(ctx context.Context, s *session, studyID int64, name, text string) error {
	return s.exec(ctx, `INSERT INTO mapsweep_params (study_id, name, distribution_json) VALUES (?, ?, ?)
		ON CONFLICT (study_id, name) DO UPDATE SET distribution_json = excluded.distribution_json`, studyID, name, text)
}
