package sqlite

import (
	"context"
	"fmt"
	"time"
)

// OpenPatient is Open with another patience.
func OpenPatient(ctx context.Context, path string, patience time.Duration) (*DB, error) {
	return patiently(ctx, path, patience, (*DB).open)
}

// OpenReadOnlyPatient is OpenReadOnly with another patience.
func OpenReadOnlyPatient(ctx context.Context, path string, patience time.Duration) (*DB, error) {
	return patiently(ctx, path, patience, (*DB).openReadOnly)
}

func patiently(ctx context.Context, path string, patience time.Duration, open func(*DB, context.Context) error) (*DB, error) {
	d, err := newDB(path)
	if err != nil {
		return nil, err
	}
	d.patience = patience
	return d, open(d, ctx)
}

// LimitPages lets the file grow by at most n more pages of 4096 bytes, as a full disk would; n < 0 lifts the limit.
func (d *DB) LimitPages(ctx context.Context, n int) error {
	limit := int64(1) << 30
	if n >= 0 {
		var pages int64
		if err := d.session.one(ctx, "PRAGMA page_count", nil, &pages); err != nil {
			return err
		}
		limit = pages + int64(n)
	}
	_, err := d.session.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", limit))
	return err
}
