package sqlite

import (
	"context"
	"fmt"
)

// Durability says what a power cut or a crash of the system may take. The end of a process, even by kill -9, takes
// nothing that a call has returned, in either.
type Durability string

const (
	// Full brings a finished trial, and everything written before it by this process or others, to the disk before
	// Finish returns. It costs one flush of the disk a trial.
	Full Durability = "full"
	// Normal leaves that to the system: a power cut may take the last trials; the file stays whole.
	Normal Durability = "normal"
)

// ParseDurability reads a name.
func ParseDurability(name string) (Durability, error) {
	switch d := Durability(name); d {
	case Full, Normal:
		return d, nil
	}
	return "", fmt.Errorf("durability is full or normal, not %q", name)
}

// Option is a choice for Open.
type Option func(*DB)

// WithDurability chooses the durability of finished trials; without it, it is Full.
func WithDurability(level Durability) Option { return func(d *DB) { d.durability = level } }

// sync sets how the next transaction is committed. In a write-ahead log the flush of one commit covers those before it.
func (s *session) sync(ctx context.Context, level Durability) error {
	if s.level == level {
		return nil
	}
	text := "PRAGMA synchronous=NORMAL"
	if level == Full {
		text = "PRAGMA synchronous=FULL"
	}
	if err := s.exec(ctx, text); err != nil {
		return err
	}
	s.level = level
	return nil
}
