package graph_test

import (
	"slices"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/graph"
)

func TestSegments(t *testing.T) {
	tests := []struct {
		segments         graph.Segments
		channels, blocks int
		normal           graph.Segments
		last             int // lane of the last channel
	}{
		{graph.Segments{3}, 3, 1, graph.Segments{3}, 2},
		{graph.Segments{16, 32, 5}, 53, 4, graph.Segments{53}, 52},
		{graph.Segments{24, 24}, 48, 4, graph.Segments{24, 24}, 55},
		{graph.Segments{60, 16, 16, 60}, 152, 10, graph.Segments{60, 92}, 155},
	}
	for _, tt := range tests {
		s := tt.segments
		lanes := s.Lanes()
		if s.Channels() != tt.channels || s.Blocks() != tt.blocks || len(lanes) != tt.channels || lanes[len(lanes)-1] != tt.last {
			t.Errorf("%v: %d channels, %d blocks, lanes %v", s, s.Channels(), s.Blocks(), lanes)
		}
		if n := s.Normal(); !slices.Equal(n, tt.normal) || !s.Same(n) || n.Blocks() != tt.blocks || !slices.Equal(n.Lanes(), lanes) {
			t.Errorf("%v: normal form %v, want %v", s, n, tt.normal)
		}
	}
	if (graph.Segments{24, 24}).Same(graph.Segments{48}) || (graph.Segments{24}).Same(graph.Segments{24, 24}) {
		t.Error("unlike segments are called the same")
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		segments graph.Segments
		first, n int
		block    int
		part     graph.Segments // nil: cannot be cut
	}{
		{graph.Segments{64}, 0, 64, 0, graph.Segments{64}},
		{graph.Segments{64}, 32, 16, 2, graph.Segments{16}},
		{graph.Segments{64}, 32, 24, 0, nil},
		{graph.Segments{64}, 8, 16, 0, nil},
		{graph.Segments{40}, 32, 8, 2, graph.Segments{8}},
		{graph.Segments{24, 24}, 24, 24, 2, graph.Segments{24}},
		{graph.Segments{24, 24}, 0, 48, 0, graph.Segments{24, 24}},
		{graph.Segments{24, 24}, 0, 40, 0, graph.Segments{24, 16}},
		{graph.Segments{24, 24}, 16, 32, 1, graph.Segments{8, 24}},
		{graph.Segments{24, 24}, 20, 28, 0, nil},
		{graph.Segments{24, 24}, 24, 25, 0, nil},
		{graph.Segments{24, 24}, 0, 0, 0, nil},
		{graph.Segments{24, 24}, -16, 16, 0, nil},
	}
	for _, tt := range tests {
		block, part, ok := tt.segments.Cut(tt.first, tt.n)
		if ok != (tt.part != nil) || block != tt.block || !slices.Equal(part, tt.part) {
			t.Errorf("%v from %d, %d channels: block %d, %v, %t; want %d, %v", tt.segments, tt.first, tt.n, block, part, ok, tt.block, tt.part)
		}
	}
}
