package trials

import (
	"context"
	"fmt"
)

// hold names the attempt that calls are made for.
type hold struct {
	trial   int64
	attempt int
}

type holdKey struct{}

// Holding makes the calls of a Writer that get this context and change the trial t hold only while t's last attempt is under
// way: a worker that was taken for dead, and comes back, changes nothing of what another one runs by now. The store
// looks in the transaction that makes the change. Otherwise the error is ErrTaken, or ErrFinished if the trial has ended.
func Holding(ctx context.Context, t Trial) context.Context {
	h := hold{trial: t.ID}
	if n := len(t.Attempts); n > 0 {
		h.attempt = t.Attempts[n-1].Number
	}
	return context.WithValue(ctx, holdKey{}, h)
}

// CheckHold is what a store asks before it changes a trial of that state, with the number of its attempt that has not ended (0: none).
func CheckHold(ctx context.Context, trialID int64, state State, open int) error {
	h, ok := ctx.Value(holdKey{}).(hold)
	switch {
	case !ok || h.trial != trialID:
		return nil
	case state.Finished():
		return ErrFinished
	case state != Running || open != h.attempt:
		return fmt.Errorf("attempt %d: %w", h.attempt, ErrTaken)
	}
	return nil
}

// Open is the number of the attempt that has not ended, 0 if there is none.
func (t Trial) Open() int {
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Ended.IsZero() {
		return t.Attempts[n-1].Number
	}
	return 0
}
