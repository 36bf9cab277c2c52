package batches_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mapsweep/mapsweep/trainer/dataset"
	"github.com/mapsweep/mapsweep/trainer/dataset/augment"
	"github.com/mapsweep/mapsweep/trainer/dataset/batches"
	"github.com/mapsweep/mapsweep/trainer/dataset/datasettest"
	"github.com/mapsweep/mapsweep/trainer/dataset/stream"
)

const (
	size  = 32
	batch = 4
)

func images(n int) []dataset.Image {
	all := make([]dataset.Image, n)
	for i := range all {
		r := stream.New(1, 0, i, 0)
		m := dataset.Image{Name: fmt.Sprint(i), W: size, H: size, Pix: make([]uint8, 3*size*size), Boxes: []dataset.Box{{Class: i % 3, X0: 4, Y0: 6, X1: 20, Y1: 25}}}
		for j := range m.Pix {
			m.Pix[j] = uint8(r.IntN(256))
		}
		all[i] = m
	}
	return all
}

var settings = augment.Settings{Mosaic: 1, MixUp: .3, CopyPaste: .5, HSV: 1, Degrees: 10, AutoAugment: augment.AutoAugment, Geometry: true}

// plan makes epochs of three batches of the images; the last epoch has no mosaics.
func plan(n, count int) batches.Plan {
	return batches.Plan{Count: count, Values: batch * size * size * 3, Batch: func(i int) batches.Request {
		epoch, k := i/3, i%3
		order := augment.Order(9, epoch, n)
		q := batches.Request{Seed: 9, Epoch: epoch, Position: k * batch, Indices: order[k*batch : (k+1)*batch], Closed: epoch == 3}
		if k == 2 { // smaller pictures
			q.Values = batch * size / 2 * size / 2 * 3
		}
		return q
	}}
}

func samplers(t testing.TB, all []dataset.Image, n int) []batches.Sampler {
	t.Helper()
	var s []batches.Sampler
	for range n {
		a, err := augment.New(all, all[0].W, settings)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, a)
	}
	return s
}

// The batches are the same without goroutines, and with 1, 2 and 7 of them.
func TestAnyNumberOfLoaders(t *testing.T) {
	all := images(13)
	const count = 12
	var want []batches.Batch
	for _, k := range []int{0, 1, 2, 7} {
		s := samplers(t, all, max(1, k))
		l := batches.Inline(t.Context(), plan(len(all), count), s[0])
		if k > 0 {
			l = batches.Start(t.Context(), plan(len(all), count), s...)
		}
		for i := range count {
			b, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			if side := size >> (i % 3 / 2); len(b.Images) != batch*side*side*3 {
				t.Errorf("batch %d has %d values", i, len(b.Images))
			}
			if k == 0 {
				want = append(want, batches.Batch{Images: slices.Clone(b.Images), Boxes: slices.Clone(b.Boxes)})
				continue
			}
			if !slices.Equal(b.Images, want[i].Images) || !slices.EqualFunc(b.Boxes, want[i].Boxes, slices.Equal) {
				t.Errorf("%d loaders: batch %d differs", k, i)
			}
		}
		l.Close()
	}
	if slices.Equal(want[0].Images, want[3].Images) {
		t.Error("two epochs have the same first batch")
	}
}

// stuck is a sampler whose samples take long, fail or panic.
type stuck struct {
	wait  time.Duration
	fail  error
	panic bool
	at    int // position that fails
}

func (stuck) CloseMosaic(bool) {}
func (s stuck) Sample(_ int64, _, position, _ int, _ []float32) ([]dataset.Box, error) {
	time.Sleep(s.wait)
	if position == s.at && s.panic {
		panic("index out of range")
	}
	if position == s.at {
		return nil, s.fail
	}
	return nil, nil
}

// When the context ends, Next says why at once, and Close leaves no goroutine.
func TestStops(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, k := range []int{0, 1, 3} {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		slow := stuck{wait: 20 * time.Millisecond, at: -1}
		l := batches.Inline(ctx, plan(13, 100), slow)
		if k > 0 {
			l = batches.Start(ctx, plan(13, 100), slices.Repeat([]batches.Sampler{slow}, k)...)
		}
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
		start := time.Now()
		var err error
		for err == nil {
			_, err = l.Next()
		}
		l.Close()
		if took := time.Since(start); !errors.Is(err, why) || took > 2*time.Second {
			t.Errorf("%d loaders: %v after %v", k, err, took)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, before %d", runtime.NumGoroutine(), before)
}

// A batch that cannot be made is an error at its turn, those before it are whole, and a panic is an error, too.
func TestFailsAtItsTurn(t *testing.T) {
	broken := errors.New("broken")
	for _, s := range []stuck{{fail: broken, at: 9}, {panic: true, at: 9}} {
		for _, k := range []int{0, 1, 4} {
			l := batches.Inline(t.Context(), plan(13, 100), s)
			if k > 0 {
				l = batches.Start(t.Context(), plan(13, 100), slices.Repeat([]batches.Sampler{s}, k)...)
			}
			for i := range 2 {
				if b, err := l.Next(); err != nil || len(b.Boxes) != batch {
					t.Errorf("%d loaders, batch %d: %v", k, i, err)
				}
			}
			_, err := l.Next()
			if s.panic && (err == nil || !strings.Contains(err.Error(), "sample 9 of epoch 1")) || !s.panic && !errors.Is(err, broken) {
				t.Errorf("%d loaders: %v", k, err)
			}
			l.Close()
		}
	}
}

// A picture without room in RAM whose file breaks between two epochs is an error that names the file.
func TestFileBreaksMeanwhile(t *testing.T) {
	root := datasettest.WriteYOLO(t, []string{"a", "b", "c"}, images(12), images(1))
	d, err := dataset.Load(t.Context(), root, dataset.Options{Size: size, Cache: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{1, 2} {
		l := batches.Start(t.Context(), plan(12, 100), samplers(t, d.Train, k)...)
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		bad := filepath.Join(root, "images", "train", "05.png")
		good, err := os.ReadFile(bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(bad, good[:len(good)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 20 && err == nil; i++ {
			_, err = l.Next()
		}
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%d loaders: %v", k, err)
		}
		l.Close()
		if err := os.WriteFile(bad, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
