package native

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

// shelf keeps pictures of data sets in the memory of GPUs, once for all runs of a backend that use them at the same time.
type shelf struct {
	mu   sync.Mutex
	sets map[shelfKey]*shelved
	kept int // how many want pictures to stay when nobody uses them
}

// shelfKey says which pictures: some of one data set at one size, on one GPU.
type shelfKey struct {
	gpu, size, count int
	hash, split      string
}

// shelved are pictures of size x size x 3 bytes, one after the other.
type shelved struct {
	key   shelfKey
	users int // guarded by the shelf
	share *cuda.Share
	part  *cuda.Reservation // of its memory
	turn  chan struct{}     // held by who reads or writes data
	data  cuda.Ptr          // 0: not there yet
}

func newShelf() *shelf { return &shelf{sets: map[shelfKey]*shelved{}} }

// claim takes the use of pictures on the caller's GPU until it is put back, and reserves their memory if nobody else has: where
// it does not suffice the error wraps cuda.ErrMemory. It does not wait.
func (s *shelf) claim(share *cuda.Share, key shelfKey) (*shelved, error) {
	key.gpu = share.GPU.Index
	if set := s.use(key, nil); set != nil {
		return set, nil
	}
	part, err := share.TryReserve(key.bytes()) // what gives way to it may use the shelf
	if err != nil {
		return nil, fmt.Errorf("keep %d images of %s (%.0f MiB) on GPU %d: %w", key.count, key.split, key.mib(), key.gpu, err)
	}
	share.Use()
	made := &shelved{key: key, share: share, part: part, turn: make(chan struct{}, 1)}
	set := s.use(key, made)
	if set != made { // another was faster
		err = errors.Join(part.Release(), share.Release())
	}
	return set, err
}

// use adds a use to the pictures of a key, which are those that were made where there are none yet.
func (s *shelf) use(key shelfKey, made *shelved) *shelved {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.sets[key]
	if set == nil {
		set = made
	}
	if set != nil {
		s.sets[key] = set
		set.users++
	}
	return set
}

// keep has pictures stay, between runs that use them one after the other, until back is called.
func (s *shelf) keep() (back func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept++
	return func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.keepFor(max(0, s.kept-1))
	}
}

// yield gives up what is kept, for who needs the memory.
func (s *shelf) yield() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keepFor(0)
}

// keepFor frees what nobody uses, and not so many keep.
func (s *shelf) keepFor(many int) error {
	s.kept = many
	var errs []error
	for _, set := range s.sets {
		errs = append(errs, s.free(set))
	}
	return errors.Join(errs...)
}

// put ends a use. The last one frees the memory: no work that reads it may be under way. nil is none. Where a context is lost all
// that is kept there goes, too, for it holds up the reset.
func (s *shelf) put(set *shelved) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if set != nil {
		set.users--
	}
	return s.keepFor(s.kept)
}

// free gives the memory of pictures back that nobody uses or keeps. What is lost is not kept.
func (s *shelf) free(set *shelved) error {
	if set.users > 0 || s.kept > 0 && set.part.Err() == nil {
		return nil
	}
	delete(s.sets, set.key)
	return errors.Join(set.part.Release(), set.share.Release())
}

// bytes is the memory of the pictures.
func (k shelfKey) bytes() int64 { return int64(k.count) * k.one() }

func (k shelfKey) one() int64 { return int64(k.size) * int64(k.size) * 3 }

func (k shelfKey) mib() float64 { return float64(k.bytes()) / (1 << 20) }

// bring puts the pictures on the GPU, unless another user has: it waits for one that does. Those that are not kept in RAM are
// read by so many threads.
func (s *shelved) bring(ctx context.Context, images []dataset.Image, threads int) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.turn <- struct{}{}:
	}
	defer func() { <-s.turn }()
	if s.data != 0 {
		return nil
	}
	to, err := s.part.Alloc(s.key.bytes())
	if err == nil {
		err = s.load(ctx, to, images, threads)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("bring images of %s to GPU %d: %w", s.key.split, s.key.gpu, err), s.part.Free(to))
	}
	s.data = to
	return nil
}

func (s *shelved) load(ctx context.Context, to cuda.Ptr, images []dataset.Image, threads int) error {
	stream, err := s.share.GPU.NewStream()
	if err != nil {
		return err
	}
	return errors.Join(s.fill(ctx, stream, to, images, threads), stream.Close())
}

// fillBytes is how much is read before it is copied.
const fillBytes = 16 << 20

func (s *shelved) fill(ctx context.Context, stream *cuda.Stream, to cuda.Ptr, images []dataset.Image, threads int) error {
	one := s.key.one()
	buffer := make([]byte, max(1, min(fillBytes/one, int64(len(images))))*one)
	for len(images) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(len(images), len(buffer)/int(one))
		if err := readPictures(images[:n], buffer[:n*int(one)], threads); err != nil {
			return err
		}
		// The driver only says that such a copy may have ended when it returns.
		if err := errors.Join(stream.CopyIn(to, buffer[:n*int(one)]), stream.Wait()); err != nil {
			return err
		}
		images, to = images[n:], to.Add(int64(n)*one)
	}
	return nil
}

// readPictures puts the bytes of pictures of one size one after the other, with so many threads.
func readPictures(images []dataset.Image, to []byte, threads int) error {
	one := len(to) / len(images)
	threads = max(1, min(threads, len(images)))
	errs := make([]error, threads)
	var all sync.WaitGroup
	for k := range threads {
		all.Go(func() {
			for i := k; i < len(images) && errs[k] == nil; i += threads {
				var pix []uint8
				if pix, errs[k] = images[i].Pixels(); errs[k] == nil && len(pix) != one {
					errs[k] = fmt.Errorf("picture %q has %d bytes, not %d", images[i].Name, len(pix), one)
				}
				copy(to[i*one:(i+1)*one], pix)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
