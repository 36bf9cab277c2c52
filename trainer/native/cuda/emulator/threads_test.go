package emulator_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/mapsweep/mapsweep/trainer/native/cuda"
)

var orders = []string{"forward", "reverse", "shuffle"}

// TestBarrier: what threads write before a barrier others read after it, whatever the order and the form of block and grid.
func TestBarrier(t *testing.T) {
	b := open(t)
	for _, order := range orders {
		t.Setenv("EMULATOR_ORDER", order)
		for _, block := range [][3]int{{1}, {33}, {1024}, {8, 4, 3}} {
			n := block[0] * max(block[1], 1) * max(block[2], 1)
			got := b.run("opposite", [3]int{2, 3, 2}, block, 12*n, args{})
			for i, v := range got {
				if want := float32(n - 1 - i%n); v != want {
					t.Fatalf("%s, block %v: value %d is %v, want %v", order, block, i, v, want)
				}
			}
		}
	}
}

// TestReturnBeforeBarrier: barriers wait for threads that are left, not for those that have returned.
func TestReturnBeforeBarrier(t *testing.T) {
	b := open(t)
	for _, order := range orders {
		t.Setenv("EMULATOR_ORDER", order)
		for _, gone := range []int{0, 1, 31, 32, 63, 69} {
			got := b.run("returns_early", [3]int{1}, [3]int{70}, 70, args{n: int32(gone)})
			for i, v := range got {
				want := float32(0)
				if i >= gone {
					want = float32(70 - gone)
				}
				if v != want {
					t.Fatalf("%s, %d gone: thread %d counts %v, want %v", order, gone, i, v, want)
				}
			}
		}
	}
}

// TestDeadlock: threads that wait for each other end the process, with the kernel's name.
func TestDeadlock(t *testing.T) {
	inside, printed, err := alone(t)
	if inside {
		open(t).run("deadlock", [3]int{2}, [3]int{64}, 64, args{})
		return
	}
	if want := "emulator: kernel deadlock, block 0 0 0: threads wait at barriers that the others never reach"; err == nil || !strings.Contains(printed, want) {
		t.Errorf("%v, %q; want a failure with %q", err, printed, want)
	}
}

// TestOrder: a race between blocks, or between threads, ends differently in another order.
func TestOrder(t *testing.T) {
	b := open(t)
	for _, kernel := range []struct {
		name        string
		grid, block int
	}{{"last_block", 64, 1}, {"last_thread", 1, 64}} {
		var last []float32
		for _, order := range orders {
			t.Setenv("EMULATOR_ORDER", order)
			for range 2 {
				last = append(last, b.run(kernel.name, [3]int{kernel.grid}, [3]int{kernel.block}, 1, args{})[0])
			}
		}
		if last[0] != 63 || last[2] != 0 || last[4] == 63 || last[4] == 0 {
			t.Errorf("%s: the last are %v forward, %v reverse, %v in shuffled order", kernel.name, last[0], last[2], last[4])
		}
		if last[0] != last[1] || last[2] != last[3] || last[4] != last[5] {
			t.Errorf("%s: a second run ends differently: %v", kernel.name, last)
		}
	}
}

func TestWarp(t *testing.T) {
	b := open(t)
	in := make([]float32, 32)
	positive := float32(0)
	for i := range in {
		in[i] = float32(i*7%32 - 10)
		if in[i] > 0 {
			positive++
		}
	}
	for _, order := range orders {
		t.Setenv("EMULATOR_ORDER", order)
		got := b.run("told", [3]int{1}, [3]int{32}, 7*32, args{in: b.put(in)})
		for l := range in {
			down, up := l+4, l-4
			if down > 31 {
				down = l
			}
			if up < 0 {
				up = l
			}
			want := []float32{in[5], in[l^3], in[down], in[up], positive, 2, 5}
			if !slices.Equal(got[7*l:7*l+7], want) {
				t.Errorf("%s: lane %d is told %v, want %v", order, l, got[7*l:7*l+7], want)
			}
		}
	}
}

// TestMatrices: whole numbers, whose products are exact in any order.
func TestMatrices(t *testing.T) {
	b := open(t)
	in, want := make([]float32, 256+128), make([]float32, 128)
	for i := range in {
		in[i] = float32(i*i%17 - 8)
	}
	for r := range 16 {
		for c := range 8 {
			want[r*8+c] = float32(r - c)
			for k := range 16 {
				want[r*8+c] += in[r*16+k] * in[256+c*16+k]
			}
		}
	}
	turned := make([]float32, 64)
	for i := range turned {
		turned[i] = in[i%8*8+i/8]
	}
	for _, order := range orders {
		t.Setenv("EMULATOR_ORDER", order)
		start := make([]float32, 128)
		for i := range start {
			start[i] = float32(i/8 - i%8)
		}
		if got := b.run("product", [3]int{1}, [3]int{32}, 128, args{in: b.put(in), out: b.put(start)}); !slices.Equal(got, want) {
			t.Errorf("%s: product %v, want %v", order, got, want)
		}
		if got := b.run("turned", [3]int{1}, [3]int{32}, 64, args{in: b.put(in)}); !slices.Equal(got, turned) {
			t.Errorf("%s: turned %v, want %v", order, got, turned)
		}
	}
}

// TestCopies: asynchronous copies arrive when they are waited for, not before, and dynamic shared memory starts as NaN.
func TestCopies(t *testing.T) {
	b := open(t)
	got := b.run("copies", [3]int{1}, [3]int{1}, 6, args{in: b.put([]float32{1, 2, 3, 4, 5, 6, 7, 8})})
	nan := float32(math.NaN())
	for i, want := range []float32{nan, nan, 1, nan, 5, 0} {
		if got[i] != want && (got[i] == got[i] || want == want) {
			t.Errorf("look %d: %v, want %v", i, got[i], want)
		}
	}
}

func TestCopyAskew(t *testing.T) {
	inside, printed, err := alone(t)
	if inside {
		b := open(t)
		b.run("copy_askew", [3]int{1}, [3]int{1}, 1, args{in: b.put(make([]float32, 4))})
		return
	}
	if want := "emulator: kernel copy_askew: an asynchronous copy of 16 bytes is not aligned"; err == nil || !strings.Contains(printed, want) {
		t.Errorf("%v, %q; want a failure with %q", err, printed, want)
	}
}

// Kinds of group_product in testdata/behaviour.cu.
const (
	groupPlain = iota
	groupTurned
	groupNoCopyFence
	groupNoCommit
	groupNoWait
	groupNoRegisterFence
	groupOverwritten
	groupAskew
)

func (b *bench) warpgroup(kind int32, in []float32) []float32 {
	b.t.Helper()
	a := args{in: b.put(in), out: b.alloc(64 * 64), n: kind}
	b.must(b.kernel.Run(b.stream, cuda.Launch{Kernel: "warpgroup", Grid: [3]int{1}, Block: [3]int{128}, Shared: 17 << 10, Args: cuda.Args(a)}))
	return b.get(a.out, 64*64)
}

// panels are two of 64 x 64 whole numbers, small enough for exact products, as they are and as bf16 in pairs.
func panels() (values [2][64][64]float32, pairs []float32) {
	for m := range values {
		for r := range 64 {
			for c := 0; c < 64; c += 2 {
				u, v := float32((r*7+c*3+m*5)%17-8), float32((r*3+c*5+m*7)%13-6)
				values[m][r][c], values[m][r][c+1] = u, v
				pairs = append(pairs, math.Float32frombits(math.Float32bits(u)>>16|math.Float32bits(v)))
			}
		}
	}
	return values, pairs
}

// TestWarpgroup: 64 x 16 by 16 x 64 values from swizzled panels, by rows and turned, added to accumulators of ones.
func TestWarpgroup(t *testing.T) {
	b := open(t)
	values, pairs := panels()
	for _, order := range orders {
		t.Setenv("EMULATOR_ORDER", order)
		for _, kind := range []int32{groupPlain, groupTurned} {
			got := b.warpgroup(kind, pairs)
			for i, v := range got {
				want, row, column := float32(1), i/64, i%64
				for k := range 16 {
					if kind == groupTurned {
						want += values[0][k][row] * values[1][k][column]
					} else {
						want += values[0][row][k] * values[1][column][k]
					}
				}
				if v != want {
					t.Fatalf("%s, kind %d: row %d, column %d is %v, want %v", order, kind, row, column, v, want)
				}
			}
		}
	}
}

// TestWarpgroupTooEarly: what was not fenced, committed and waited for is not seen.
func TestWarpgroupTooEarly(t *testing.T) {
	b := open(t)
	_, pairs := panels()
	for _, kind := range []int32{groupNoCopyFence, groupNoCommit, groupNoWait} {
		for i, v := range b.warpgroup(kind, pairs) {
			if v == v {
				t.Fatalf("kind %d: value %d is %v, want NaN", kind, i, v)
			}
		}
	}
}

// TestWarpgroupFaults: mistakes that a GPU may not show end the process, with the kernel's name.
func TestWarpgroupFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		kind int32
		want string
	}{
		{"registers", groupNoRegisterFence, "wgmma without wgmma.fence after its registers were used"},
		{"overwritten", groupOverwritten, "operands of wgmma changed before it was waited for"},
		{"descriptor", groupAskew, "a descriptor of wgmma has a base offset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inside, printed, err := alone(t)
			if inside {
				_, pairs := panels()
				open(t).warpgroup(c.kind, pairs)
				return
			}
			if want := "emulator: kernel warpgroup: " + c.want; err == nil || !strings.Contains(printed, want) {
				t.Errorf("%v, %q; want a failure with %q", err, printed, want)
			}
		})
	}
}
