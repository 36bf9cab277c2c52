package dataset

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// again says how pixels that were not kept are read once more.
type again struct {
	file string
	size int
	sum  uint32 // checksum of the pixels when the data set was loaded
}

// Pixels are the picture's, H*W*3 bytes: Pix if they were kept, or else decoded from the file as Load did. A file that
// cannot be read any more, or gives other pixels than at Load, is an error that names it. Not to be changed.
func (m *Image) Pixels() ([]uint8, error) {
	if m.again == nil {
		return m.Pix, nil
	}
	p, err := read(item{file: m.again.file}, m.again.size)
	if err != nil {
		return nil, fmt.Errorf("read picture %s again: %w", m.again.file, err)
	}
	if checksum(p.image.Pix) != m.again.sum {
		return nil, fmt.Errorf("read picture %s again: %w", m.again.file, errChanged)
	}
	return p.image.Pix, nil
}

var errChanged = errors.New("the file has changed since the data set was loaded: start anew")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(pix []uint8) uint32 { return crc32.Checksum(pix, castagnoli) }
