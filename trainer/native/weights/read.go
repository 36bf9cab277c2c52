package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
)

// Read reads a file of weights: safetensors, or a checkpoint of PyTorch, told apart by their first bytes.
func Read(path string) (*Set, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read weights: %w", err)
	}
	var s *Set
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		s, err = DecodePyTorch(data)
	} else {
		s, err = DecodeSafetensors(data)
	}
	if err != nil {
		return nil, fmt.Errorf("read weights %s: %w", path, err)
	}
	return s, nil
}

func float32frombytes(b []byte) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b))
}
