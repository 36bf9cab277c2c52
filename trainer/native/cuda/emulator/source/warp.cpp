// What warps do together, and asynchronous copies. See port.cuh.
#include "emulator.h"

namespace emulator {
namespace {

// Two neighbouring values of a matrix.
float low(uint32_t pair) { return __uint_as_float(pair << 16); }
float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx2", "default"), optimize("O3")))
#endif
void multiply(Warp::Shown &w) {
	float b[16][8];
	for (int k = 0; k < 8; k++)
		for (int j = 0; j < 8; j++) {
			b[2 * k][j] = low(w.b[k][j]);
			b[2 * k + 1][j] = high(w.b[k][j]);
		}
	for (int i = 0; i < 16; i++) {
		float sum[8] = {};
		for (int k = 0; k < 8; k++) {
			const float x = low(w.a[i][k]), y = high(w.a[i][k]);
			for (int j = 0; j < 8; j++)
				sum[j] = sum[j] + x * b[2 * k][j] + y * b[2 * k + 1][j];
		}
		memcpy(w.product[i], sum, sizeof sum);
	}
}

void arrive(const Copy &c) {
	races::read(c.from, c.bytes, nullptr);
	races::copy_arrives(c.to, c.room);
	if (c.bytes)
		memcpy(c.to, c.from, c.bytes);
	memset(static_cast<char *>(c.to) + c.bytes, 0, c.room - c.bytes);
	copy_arrived(c);
}

} // namespace

// The first lane after the barrier multiplies for all.
void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
	Warp::Shown &w = shown();
	const unsigned l = lane(), g = l / 4, t = l % 4;
	for (int i = 0; i < 4; i++)
		w.a[g + 8 * (i % 2)][t + 4 * (i / 2)] = a[i];
	for (int i = 0; i < 2; i++)
		w.b[t + 4 * i][g] = b[i];
	w.multiplied = false;
	sync_warp();
	if (!w.multiplied) {
		multiply(w);
		w.multiplied = true;
	}
	for (int i = 0; i < 4; i++)
		d[i] += w.product[g + 8 * (i / 2)][2 * t + i % 2];
}

void load_matrices(uint32_t (&r)[4], const void *row, bool transposed) {
	Warp::Shown &w = shown();
	const unsigned l = lane();
	w.rows[l] = row;
	if (reinterpret_cast<uintptr_t>(row) % 16 != 0) {
		fprintf(stderr, "emulator: kernel %s: a row of a matrix begins at no multiple of 16 bytes\n", running->name);
		abort();
	}
	races::read(row, 16, __builtin_return_address(0));
	sync_warp();
	for (unsigned i = 0; i < 4; i++) {
		uint16_t v[2];
		for (unsigned j = 0; j < 2; j++) {
			unsigned y = transposed ? 2 * (l % 4) + j : l / 4, x = transposed ? l / 4 : 2 * (l % 4) + j;
			v[j] = static_cast<const uint16_t *>(w.rows[8 * i + y])[x];
		}
		r[i] = v[0] | (uint32_t)v[1] << 16;
	}
}

void copy_async(void *to, const void *from, int bytes, int room) {
	if (reinterpret_cast<uintptr_t>(to) % room != 0 || (bytes && reinterpret_cast<uintptr_t>(from) % room != 0)) {
		fprintf(stderr, "emulator: kernel %s: an asynchronous copy of %d bytes is not aligned\n", running->name, room);
		abort();
	}
	races::read(from, bytes, __builtin_return_address(0));
	races::copy_starts(to, room, __builtin_return_address(0));
	memset(to, 0xff, room); // until it arrives
	current->copies.started.push_back({to, from, bytes, room});
	copy_started(current->copies.started.back());
}

void commit_copies() { current->copies.groups.push_back(current->copies.started.size()); }

void wait_copies(int still) {
	Copies &c = current->copies;
	for (; (int)(c.groups.size() - c.waited) > still; c.waited++)
		for (; c.arrived < c.groups[c.waited]; c.arrived++)
			arrive(c.started[c.arrived]);
	if (c.arrived == c.started.size() && c.waited == c.groups.size()) {
		c.started.clear();
		c.groups.clear();
		c.arrived = c.waited = 0;
	}
}

} // namespace emulator
