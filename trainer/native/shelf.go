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
}

// shelfKey says which pictures: of one data set at one size, on one GPU.
type shelfKey struct {
	gpu, size, count int
	hash, split      string
}

// shelved are pictures of size x size x 3 bytes, one after the other.
type shelved struct {
	key   shelfKey
	users int
	turn  chan struct{} // held by who reads what is below, or brings the pictures there
	share *cuda.Share
	part  *cuda.Reservation // of its memory
	data  cuda.Ptr          // 0: not there yet
}

func newShelf() *shelf { return &shelf{sets: map[shelfKey]*shelved{}} }

// take is the use of pictures until they are put back. The first user brings them to the GPU, with so many threads that read
// what is not kept in RAM; the others wait for that. Memory is taken beside what runs have reserved: where it does not suffice
// the error wraps cuda.ErrMemory.
func (s *shelf) take(ctx context.Context, share *cuda.Share, key shelfKey, images []dataset.Image, threads int) (*shelved, error) {
	s.mu.Lock()
	key.gpu = share.GPU.Index
	set := s.sets[key]
	if set == nil {
		set = &shelved{key: key, turn: make(chan struct{}, 1)}
		s.sets[key] = set
	}
	set.users++
	s.mu.Unlock()
	err := set.bring(ctx, share, images, threads)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bring %d pictures to GPU %d: %w", len(images), key.gpu, err), s.put(set))
	}
	return set, nil
}

// put ends a use. The last one frees the memory: no work that reads it may be under way.
func (s *shelf) put(set *shelved) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set.users--; set.users > 0 {
		return nil
	}
	delete(s.sets, set.key)
	return set.close()
}

// bytes is the memory of the pictures.
func (k shelfKey) bytes() int64 { return int64(k.count) * k.one() }

func (k shelfKey) one() int64 { return int64(k.size) * int64(k.size) * 3 }

// mib is the memory of the pictures in MiB.
func (s *shelved) mib() float64 { return float64(s.key.bytes()) / (1 << 20) }

// bring puts the pictures on the GPU, unless another user has.
func (s *shelved) bring(ctx context.Context, share *cuda.Share, images []dataset.Image, threads int) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.turn <- struct{}{}:
	}
	defer func() { <-s.turn }()
	if s.data != 0 {
		return nil
	}
	share.Use()
	s.share = share
	err := s.load(ctx, images, threads)
	if err != nil {
		err = errors.Join(err, s.close())
	}
	return err
}

func (s *shelved) load(ctx context.Context, images []dataset.Image, threads int) (err error) {
	if s.part, err = s.share.TryReserve(s.key.bytes()); err != nil {
		return err
	}
	if s.data, err = s.part.Alloc(s.key.bytes()); err != nil {
		return err
	}
	stream, err := s.share.GPU.NewStream()
	if err != nil {
		return err
	}
	return errors.Join(s.fill(ctx, stream, images, threads), stream.Close())
}

// fillBytes is how much is read before it is copied.
const fillBytes = 16 << 20

func (s *shelved) fill(ctx context.Context, stream *cuda.Stream, images []dataset.Image, threads int) error {
	one := s.key.one()
	buffer := make([]byte, max(1, fillBytes/one)*one)
	for to := s.data; len(images) > 0; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(len(images), len(buffer)/int(one))
		if err := readPictures(images[:n], buffer[:n*int(one)], threads); err != nil {
			return err
		}
		if err := stream.CopyIn(to, buffer[:n*int(one)]); err != nil {
			return err
		}
		images, to = images[n:], to.Add(int64(n)*one)
	}
	return stream.Wait()
}

func (s *shelved) close() error {
	if s.share == nil {
		return nil
	}
	err := errors.Join(s.part.Release(), s.share.Release())
	s.share, s.part, s.data = nil, nil, 0
	return err
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
