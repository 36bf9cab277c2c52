package native

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
)

func damaged(why string) error { return fmt.Errorf("%s: %w", why, errNotCheckpoint) }

// checkCheckpoint checks that a file begins as one, and the checksum over its first body bytes.
func checkCheckpoint(r io.Reader, body int64) error {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(r, begin); err != nil || string(begin) != magic || body < int64(len(magic))+8 {
		return damaged("the file does not begin as one, or is cut off")
	}
	hash := sha256.New()
	hash.Write(begin)
	if _, err := io.CopyN(hash, r, body-int64(len(magic))); err != nil {
		return damaged(err.Error())
	}
	var sum [sha256.Size]byte
	if _, err := io.ReadFull(r, sum[:]); err != nil || !bytes.Equal(sum[:], hash.Sum(nil)) {
		return damaged("its checksum does not fit")
	}
	return nil
}

// decodeBody reads header and tensors, which are size bytes. choose, if there is one, is given the header and says which
// tensors are wanted; the others are passed over, and nil.
func decodeBody(r io.Reader, size int64, choose func(header) func(tensorInfo) bool) (h header, tensors [][]float32, err error) {
	fail := func(why string) (header, [][]float32, error) { return header{}, nil, damaged(why) }
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return fail("its header is cut off")
	}
	n := binary.LittleEndian.Uint64(length[:])
	if size -= 8; n > maxHeader || n > uint64(size) {
		return fail("its header is cut off")
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return fail(err.Error())
	}
	if err := json.Unmarshal(head, &h); err != nil {
		return fail(err.Error())
	}
	if h.Version != formatVersion {
		return fail(fmt.Sprintf("it has format %d, this program reads %d", h.Version, formatVersion))
	}
	if h.Step < 0 || h.Epoch < 0 {
		return fail(fmt.Sprintf("it is at epoch %d, step %d", h.Epoch, h.Step))
	}
	wanted := func(tensorInfo) bool { return true }
	if choose != nil {
		wanted = choose(h)
	}
	size -= int64(n)
	var buf [1 << 14]byte
	for _, t := range h.Tensors {
		count := t.elements()
		if count < 0 || 4*int64(count) > size {
			return fail("its tensors are cut off")
		}
		size -= 4 * int64(count)
		v, err := []float32(nil), error(nil)
		if wanted(t) {
			v, err = readFloats(r, count, buf[:])
		} else {
			_, err = io.CopyN(io.Discard, r, 4*int64(count))
		}
		if err != nil {
			return fail(err.Error())
		}
		tensors = append(tensors, v)
	}
	if size != 0 {
		return fail("it is longer than its tensors")
	}
	return h, tensors, nil
}

// readFloats reads so many numbers, by way of buf.
func readFloats(r io.Reader, count int, buf []byte) ([]float32, error) {
	v := make([]float32, 0, count)
	for len(v) < count {
		raw := buf[:min(len(buf), 4*(count-len(v)))]
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, err
		}
		for ; len(raw) > 0; raw = raw[4:] {
			v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		}
	}
	return v, nil
}

// readScored reads and verifies a file, and of its tensors those that training scores with, by name: the moving average,
// or else the weights. The rest of the training's state never comes into memory.
func readScored(path string) (h header, part string, named map[string][]float32, err error) {
	fail := func(err error) (header, string, map[string][]float32, error) {
		return header{}, "", nil, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return header{}, "", nil, fmt.Errorf("read checkpoint: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	body := info.Size() - sha256.Size
	if err := checkCheckpoint(bufio.NewReaderSize(f, 1<<16), body); err != nil {
		return fail(err)
	}
	rest := body - int64(len(magic))
	r := bufio.NewReaderSize(io.NewSectionReader(f, int64(len(magic)), rest), 1<<16)
	h, tensors, err := decodeBody(r, rest, func(h header) func(tensorInfo) bool {
		part = h.scored()
		return func(t tensorInfo) bool { return t.Part == part }
	})
	if err != nil {
		return fail(err)
	}
	named = map[string][]float32{}
	for i, t := range h.Tensors {
		if t.Part == part {
			named[t.Name] = tensors[i]
		}
	}
	return h, part, named, nil
}

// scored is the part of a checkpoint that training scores with: the moving average, or else the weights.
func (h header) scored() string {
	for _, t := range h.Tensors {
		if t.Part == partAverage {
			return partAverage
		}
	}
	return partWeights
}
