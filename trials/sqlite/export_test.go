package sqlite

import (
	"context"
	"fmt"
)

// LimitPages lets the file grow by at most n more pages of 4096 bytes, as a full disk would; n < 0 lifts the limit.
func (d *DB) LimitPages(ctx context.Context, n int) error {
	limit := int64(1) << 30
	if n >= 0 {
		var pages int64
		if err := d.writer.one(ctx, "PRAGMA page_count", nil, &pages); err != nil {
			return err
		}
		limit = pages + int64(n)
	}
	_, err := d.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", limit))
	return err
}
