package native

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/mapsweep/mapsweep/trainer"
	"github.com/mapsweep/mapsweep/trainer/native/model"
	"github.com/mapsweep/mapsweep/trainer/native/model/spec"
	"github.com/mapsweep/mapsweep/trainer/native/weights"
)

// source is a file of weights that trials start from.
type source struct {
	path    string
	hash    string   // SHA-256 of the file, hexadecimal
	classes []string // that its head tells apart; nil: the file does not say
	tensors map[string]sourceTensor
}

type sourceTensor struct {
	shape  []int
	values []float32
}

// readSource reads a checkpoint of this trainer (the moving average of its weights, else the weights themselves), a
// file of safetensors or a checkpoint of PyTorch. The first bytes tell them apart.
func readSource(path string) (*source, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("trainer.weights: %w: %w", err, trainer.ErrNoData)
	}
	sum := sha256.Sum256(data)
	s := &source{path: path, hash: hex.EncodeToString(sum[:]), tensors: map[string]sourceTensor{}}
	if !bytes.HasPrefix(data, []byte(magic)) {
		return s, s.foreign()
	}
	h, tensors, err := decodeCheckpoint(data)
	if err != nil {
		return nil, fmt.Errorf("trainer.weights: %s: %w: %w", path, err, trainer.ErrNoData)
	}
	s.classes = h.Classes
	part := partWeights
	if slices.ContainsFunc(h.Tensors, func(t tensorInfo) bool { return t.Part == partAverage }) {
		part = partAverage
	}
	for i, t := range h.Tensors {
		if t.Part == part {
			s.tensors[t.Name] = sourceTensor{t.Shape, tensors[i]}
		}
	}
	return s, nil
}

// foreign reads the tensors of a file that is no checkpoint of this trainer's, and the names of its classes where it has them.
func (s *source) foreign() error {
	set, err := weights.Read(s.path)
	if err != nil {
		return fmt.Errorf("trainer.weights: no checkpoint of the native trainer, no safetensors and none of PyTorch: %w: %w", err, trainer.ErrNoData)
	}
	s.classes = saidClasses(set.Meta)
	for _, t := range set.Tensors {
		if t.Values != nil {
			s.tensors[t.Name] = sourceTensor{t.Shape, t.Values}
		}
	}
	return nil
}

// source reads trainer.weights at its first use; nil where none is named.
func (b *Backend) source() (*source, error) {
	if b.cfg.Weights == "" {
		return nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.weights == nil {
		s, err := readSource(b.cfg.Weights)
		if err != nil {
			return nil, err
		}
		b.weights = s
	}
	return b.weights, nil
}

// into copies to a network what the file has by the same name and shape, or, where it is laid out as another model with
// the same detector, in the same place. Other tensors keep their initial values, and so does what tells classes apart
// where the file knows other ones. It says what was taken; a file that has less than half of the detector's values is
// of another model.
func (s *source) into(n *model.Network, classes []string) (string, error) {
	last := map[string]bool{}
	if s.classes != nil && !slices.Equal(s.classes, classes) {
		last = n.ClassParams()
	}
	m, auxiliary := s.match(n), auxiliaryNames(n.Model())
	if errors.Is(m.why, spec.ErrFolded) {
		return "", fmt.Errorf("trainer.weights: %s: %w: %w", s.path, m.why, trainer.ErrNoData)
	}
	c := taken{file: s, asked: map[string]bool{}}
	values, all := 0, 0
	for t := range n.NamedTensors() {
		c.tensors++
		serves := !auxiliary[t.Name]
		if serves {
			all += t.Elements()
		}
		c.asked[m.name(t.Name)] = true
		from, ok := s.tensors[m.name(t.Name)]
		if !ok || last[t.Name] || !slices.Equal(from.shape, t.Shape) {
			c.miss(t.Name, !serves && m.names != nil)
			continue
		}
		arena := n.Weights()
		if t.Stat {
			arena = n.Stats()
		}
		if err := t.Set(arena, from.values); err != nil {
			return "", fmt.Errorf("trainer.weights: %s: %w", s.path, err)
		}
		c.values++
		if serves {
			values += t.Elements()
		}
	}
	if 2*values < all && m.names == nil {
		return "", fmt.Errorf("trainer.weights: %s is of another model: %d of %d tensors have the name and shape of this one's%s: %w", s.path, c.values, c.tensors, m.reason(),
			trainer.ErrNoData)
	}
	return c.text(m), nil
}
