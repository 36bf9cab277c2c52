package cuda

import "slices"

// Idle is memory of a share that is kept for a later use: as soon as somebody needs the memory for something else it is given
// up.
type Idle struct {
	share  *Share
	giveUp func()
}

// Keep lists a reservation's memory as idle. giveUp is called, from any goroutine and at most once, to release it; it reports
// errors itself, for they are not of the trial that needs the memory. Keep is nil where the context is lost: nothing is worth keeping
// then.
func (s *Share) Keep(giveUp func()) *Idle {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.GPU.isLost() {
		return nil
	}
	i := &Idle{s, giveUp}
	s.idle = append(s.idle, i)
	s.offer()
	return i
}

// Take makes the memory the caller's again; false: it has been given up, or is about to be.
func (i *Idle) Take() bool {
	s := i.share
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.idle, i)
	if at < 0 {
		return false
	}
	s.idle = slices.Delete(s.idle, at, at+1)
	return true
}

// GiveUp gives up what has been idle longest; false: nothing is.
func (s *Share) GiveUp() bool {
	s.mu.Lock()
	if len(s.idle) == 0 {
		s.mu.Unlock()
		return false
	}
	i := s.idle[0]
	s.idle = slices.Delete(s.idle, 0, 1)
	s.mu.Unlock()
	i.giveUp()
	s.mu.Lock()
	s.offer()
	s.mu.Unlock()
	return true
}

// giveUpAll is for a lost context, which is reset when nobody holds it any more.
func (s *Share) giveUpAll() {
	for s.GiveUp() {
	}
}

// offer tells the one who has waited longest that something is idle.
func (s *Share) offer() {
	if len(s.queue) == 0 || len(s.idle) == 0 {
		return
	}
	select {
	case s.queue[0].idle <- struct{}{}:
	default: // it has been told
	}
}
