package sqlite

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/mapsweep/mapsweep/trials/internal/optuna"
)

// rowsAtOnce limits the rows of one statement, and so the number of statements that are kept prepared.
const rowsAtOnce = 64

// execRows inserts rows of n columns each with as few statements as possible: text before VALUES, then after it.
func (s *session) execRows(ctx context.Context, before, after string, n int, args []any) error {
	for len(args) > 0 {
		rows := min(rowsAtOnce, len(args)/n)
		if err := s.exec(ctx, before+placeholders(rows, n)+after, args[:rows*n]...); err != nil {
			return err
		}
		args = args[rows*n:]
	}
	return nil
}

// placeholders are those of that many rows: " VALUES (?,?),(?,?)".
func placeholders(rows, columns int) string {
	row := "(" + strings.Repeat("?,", columns-1) + "?)"
	return " VALUES " + strings.Repeat(row+",", rows-1) + row
}

// saveAttrs writes attributes as Optuna's user attributes.
func saveAttrs(ctx context.Context, s *session, trialID int64, attrs map[string]json.RawMessage) error {
	args := make([]any, 0, 3*len(attrs))
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		args = append(args, trialID, name, string(attrs[name]))
	}
	return s.execRows(ctx, `INSERT INTO trial_user_attributes (trial_id, "key", value_json)`,
		` ON CONFLICT (trial_id, "key") DO UPDATE SET value_json = excluded.value_json`, 3, args)
}

// saveMetrics writes the metrics of an epoch.
func saveMetrics(ctx context.Context, s *session, trialID int64, epoch int, metrics map[string]float64) error {
	args := make([]any, 0, 5*len(metrics))
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		column, kind := optuna.EncodeValue(metrics[name])
		args = append(args, trialID, epoch, name, column, kind)
	}
	return s.execRows(ctx, "INSERT INTO mapsweep_measurements (trial_id, epoch, metric, value, value_type)", "", 5, args)
}
