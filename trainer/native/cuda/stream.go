package cuda

import (
	"errors"
	"fmt"
	"unsafe"
)

// Stream is a queue of work on a device: what is put in runs in order, beside the work of other streams. One goroutine at
// a time.
type Stream struct {
	gpu *GPU
	raw rawStream

	borrowed [][]byte // that is not pinned, and that copies may be reading or writing
}

// NewStream makes an empty stream.
func (g *GPU) NewStream() (*Stream, error) {
	s := &Stream{gpu: g}
	return s, g.do("make stream", func() (err error) { s.raw, err = makeStream(); return err })
}

// GPU is the stream's device.
func (s *Stream) GPU() *GPU { return s.gpu }

// Handle is the driver's handle of the stream, for libraries that put work into it.
func (s *Stream) Handle() uintptr { return streamHandle(s.raw) }

// Within runs f on a thread on which the stream's context is current.
func (s *Stream) Within(f func() error) error { return within(s.gpu.ctx, f) }

// Wait returns when all work of the stream is done; an error may come from any of it.
func (s *Stream) Wait() error {
	err := s.gpu.do("wait for the GPU", func() error { return synchronize(s.raw) })
	s.borrowed = nil
	return err
}

// Close ends the stream when its work is done.
func (s *Stream) Close() error {
	return s.gpu.do("end stream", func() error { return destroyStream(s.raw) })
}

// borrow has the collector keep memory of the host until Wait, for drivers need not be done with it when they return.
func (s *Stream) borrow(memory []byte) {
	if !s.gpu.pins(memory) {
		s.borrowed = append(s.borrowed, memory)
	}
}

// CopyIn copies host memory to the device. It may return before the copy is done: from must not change until the stream has come
// so far, and pinned memory not be closed. From pinned memory it returns at once; from other memory, which Wait should follow, most
// drivers return when they have read it.
func (s *Stream) CopyIn(to Ptr, from []byte) error {
	if len(from) == 0 {
		return nil
	}
	s.borrow(from)
	return s.gpu.do("copy to the GPU", func() error {
		return copyIn(to, unsafe.Pointer(unsafe.SliceData(from)), int64(len(from)), s.raw)
	})
}

// CopyOut copies device memory to the host. to is filled after Wait.
func (s *Stream) CopyOut(to []byte, from Ptr) error {
	if len(to) == 0 {
		return nil
	}
	s.borrow(to)
	return s.gpu.do("copy from the GPU", func() error {
		return copyOut(unsafe.Pointer(unsafe.SliceData(to)), from, int64(len(to)), s.raw)
	})
}

// Copy copies within the device.
func (s *Stream) Copy(to, from Ptr, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return s.gpu.do("copy on the GPU", func() error { return copyWithin(to, from, bytes, s.raw) })
}

// Fill sets bytes to a value.
func (s *Stream) Fill(to Ptr, value byte, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return s.gpu.do("fill memory", func() error { return fill(to, value, bytes, s.raw) })
}

// Event is a point in a stream.
type Event struct {
	gpu *GPU
	raw rawEvent
}

// NewEvent makes an event; only one with timing can be used in Seconds.
func (g *GPU) NewEvent(timing bool) (*Event, error) {
	e := &Event{gpu: g}
	return e, g.do("make event", func() (err error) { e.raw, err = makeEvent(timing); return err })
}

// Record puts the event at the end of the stream's work so far.
func (e *Event) Record(s *Stream) error {
	return e.gpu.do("record event", func() error { return recordEvent(e.raw, s.raw) })
}

// Wait returns when the stream has come to the event.
func (e *Event) Wait() error {
	return e.gpu.do("wait for the GPU", func() error { return synchronizeEvent(e.raw) })
}

// Done tells whether the stream has come to the event.
func (e *Event) Done() (bool, error) {
	done := true
	err := e.gpu.do("ask for event", func() error {
		err := queryEvent(e.raw)
		if errors.Is(err, errBusy) {
			done, err = false, nil
		}
		return err
	})
	return done && err == nil, err
}

// After makes the stream's further work wait for the event, which may be another stream's.
func (s *Stream) After(e *Event) error {
	return s.gpu.do("wait in a stream", func() error { return streamWait(s.raw, e.raw) })
}

// Seconds between two events that have passed.
func Seconds(from, to *Event) (float64, error) {
	var ms float64
	err := from.gpu.do("measure time", func() (err error) { ms, err = elapsed(from.raw, to.raw); return err })
	return ms / 1000, err
}

// Close frees the event.
func (e *Event) Close() error {
	return e.gpu.do("free event", func() error { return destroyEvent(e.raw) })
}

// Captured is work of a stream that was recorded once and can be launched as a whole. It holds the addresses and the
// arguments it was recorded with.
type Captured struct {
	gpu   *GPU
	raw   rawGraph
	Nodes int // kernels, copies and fills

	Dependent int // kernels that may begin before the one ahead of them has ended
}

// Capture records what f puts into the stream, without running it. f must not wait, allocate, or use other streams.
func (s *Stream) Capture(f func() error) (*Captured, error) {
	c := &Captured{gpu: s.gpu}
	var failed error
	err := s.gpu.do("capture", func() error {
		if err := beginCapture(s.raw); err != nil {
			return err
		}
		failed = f()
		var err error
		if c.raw, err = endCapture(s.raw); err != nil || failed != nil {
			return err
		}
		if c.Nodes, err = graphNodes(c.raw); err != nil {
			return err
		}
		if Dependent(s.gpu.Capability) {
			if c.Dependent, err = dependentEdges(c.raw); err != nil {
				return err
			}
		}
		return instantiate(&c.raw)
	})
	if failed != nil {
		err = fmt.Errorf("capture: %w", failed)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Launch puts the recorded work into the stream.
func (c *Captured) Launch(s *Stream) error {
	return c.gpu.do("launch graph", func() error { return graphLaunch(c.raw, s.raw) })
}

// Close frees the record. Its work must be done.
func (c *Captured) Close() error {
	if c == nil {
		return nil
	}
	raw := c.raw
	c.raw = rawGraph{}
	return c.gpu.do("free graph", func() error { return destroyGraph(raw) })
}
