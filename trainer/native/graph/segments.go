package graph

// Segments is how the channels of a tensor are stored: runs of channels, each of which begins at a new block and is
// filled up with zero channels to whole blocks. Only boundaries at which a tensor is divided or joined need one, so most
// tensors have a single segment. {24, 24} are 48 channels in four blocks: 24 of the first two, and 24 of the last two.
//
// Channels that fill up are zero in data, weights and gradients.
type Segments []int

// Channels is the number of logical channels.
func (s Segments) Channels() int {
	n := 0
	for _, c := range s {
		n += c
	}
	return n
}

// Blocks is the number of channel blocks that are stored.
func (s Segments) Blocks() int {
	n := 0
	for _, c := range s {
		n += blocks(c)
	}
	return n
}

func blocks(channels int) int { return (channels + Block - 1) / Block }

// Lanes returns the stored channel of each logical one.
func (s Segments) Lanes() []int {
	lanes := make([]int, 0, s.Channels())
	at := 0
	for _, c := range s {
		for i := range c {
			lanes = append(lanes, at+i)
		}
		at += blocks(c) * Block
	}
	return lanes
}

// Normal returns the segments in the one form that equal storage has: a segment that fills its blocks is joined to the
// next one.
func (s Segments) Normal() Segments {
	var out Segments
	for _, c := range s {
		if n := len(out); n > 0 && out[n-1]%Block == 0 {
			out[n-1] += c
		} else {
			out = append(out, c)
		}
	}
	return out
}

// Same tells whether two lists mean the same storage.
func (s Segments) Same(o Segments) bool {
	a, b := s.Normal(), o.Normal()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Cut finds n channels from channel first on: the block they begin at, and their segments. ok is false where they do
// not begin and end with whole blocks, or are not there.
func (s Segments) Cut(first, n int) (block int, part Segments, ok bool) {
	if first < 0 || n < 1 || first+n > s.Channels() {
		return 0, nil, false
	}
	at, stored := 0, 0 // first channel and first block of the segment
	for _, c := range s {
		from, to := max(first-at, 0), min(first+n-at, c) // within the segment
		if from < to {
			if from%Block != 0 || to < c && to%Block != 0 {
				return 0, nil, false
			}
			if part == nil {
				block = stored + from/Block
			}
			part = append(part, to-from)
		}
		at += c
		stored += blocks(c)
	}
	return block, part, true
}
