// Products of warpgroups (wgmma) and what they see of shared memory. See kernel/wgmma.cuh.
//
// The tensor cores have a view of dynamic shared memory of their own: copies show there when the thread that waited for them has
// fenced them, and are spoilt there when the next copy to the same place starts. Operands are read when a product is issued and
// again when it is waited for, and must be the same. Until then the accumulators are NaN. What ordinary stores write is never
// seen.
#include "emulator.h"

#include <algorithm>

namespace emulator {
namespace {

// Where dynamic shared memory begins in the address space of shared memory: after static variables, at no multiple of 1024.
constexpr uint32_t dynamic_address = 1152;

[[noreturn]] void wrong(const char *what) {
	fprintf(stderr, "emulator: kernel %s: %s\n", running->name, what);
	abort();
}

bool watched(const void *p) {
	const char *c = static_cast<const char *>(p), *from = block->shared();
	return !block->seen.empty() && c >= from && c < from + block->seen.size();
}

OF_THREAD const void *code; // that reads operands

char *seen(const void *p) { return block->seen.data() + (static_cast<const char *>(p) - block->shared()); }

// Eight values at an address, which the swizzle of 128 bytes moves: bits 4..6 are changed by bits 7..9.
const uint16_t *eight(uint32_t address) {
	const uint32_t at = (address ^ (address >> 7 & 7) << 4) - dynamic_address;
	if (address < dynamic_address || at + 16 > block->seen.size())
		wrong("an operand of wgmma lies outside dynamic shared memory");
	races::read(block->shared() + at, 16, code);
	return reinterpret_cast<const uint16_t *>(block->seen.data() + at);
}

// read takes `count` rows from `first` on, of 16 terms each, of the matrix that a descriptor describes: of rows in panels of 128
// bytes, eight rows of which are `stride` bytes from the next eight; or turned, of terms in panels of 64 rows, `leading` bytes
// from panel to panel and `stride` from eight terms to the next eight.
void read(uint16_t *to, uint64_t descriptor, bool turned, int first, int count) {
	const uint32_t start = (descriptor & 0x3fff) << 4, leading = (descriptor >> 16 & 0x3fff) << 4, stride = (descriptor >> 32 & 0x3fff) << 4;
	if (descriptor >> 62 != 1)
		wrong("a descriptor of wgmma asks for another swizzle than that of 128 bytes");
	if (descriptor >> 49 & 7)
		wrong("a descriptor of wgmma has a base offset");
	for (int i = 0; !turned && i < count; i++)
		for (int k = 0; k < 16; k += 8) {
			const int row = first + i;
			memcpy(to + i * 16 + k, eight(start + row / 8 * stride + row % 8 * 128 + k * 2), 16);
		}
	for (int i = 0; turned && i < count; i += 8)
		for (int k = 0; k < 16; k++) {
			const int row = first + i;
			const uint16_t *v = eight(start + row / 64 * leading + k / 8 * stride + k % 8 * 128 + row % 64 * 2);
			for (int j = 0; j < 8; j++)
				to[(i + j) * 16 + k] = v[j];
		}
}

std::vector<uint16_t> operands(const Product &p) {
	std::vector<uint16_t> v((16 + p.columns) * 16);
	read(v.data(), p.a, p.turned_a, (int)(current->warp - block->warps.data()) % 4 * 16, 16);
	read(v.data() + 256, p.b, p.turned_b, 0, p.columns);
	return v;
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx2", "default"), optimize("O3")))
#endif
void multiply(const uint16_t *v, float *b, float *to, int columns) {
	for (int j = 0; j < columns; j++)
		for (int k = 0; k < 16; k++)
			b[k * columns + j] = __uint_as_float((uint32_t)v[256 + j * 16 + k] << 16);
	for (int i = 0; i < 16; i++)
		for (int k = 0; k < 16; k++) {
			const float x = __uint_as_float((uint32_t)v[i * 16 + k] << 16);
			for (int j = 0; j < columns; j++)
				to[i * columns + j] += x * b[k * columns + j];
		}
}

void finish(Product &p) {
	if (operands(p) != p.operands)
		wrong("operands of wgmma changed before it was waited for");
	std::vector<float> b(16 * p.columns);
	p.result.assign(16 * p.columns, 0);
	multiply(p.operands.data(), b.data(), p.result.data(), p.columns);
	p.operands = {};
}

// take adds a product to the thread's accumulators, which it may look at when none is on its way.
void take(const Product &p, Accumulators &s) {
	const int row = lane() / 4, column = lane() % 4 * 2;
	for (int i = 0; i < p.columns / 2; i++)
		s.values[i] += p.result[(row + i / 2 % 2 * 8) * p.columns + i / 4 * 8 + column + i % 2];
	if (--s.awaited == 0)
		std::copy(s.values.begin(), s.values.end(), s.registers);
}

Accumulators &accumulators(float *d, int columns) {
	Products &mine = current->products;
	for (Accumulators &s : mine.sums)
		if (s.registers == d && s.awaited > 0) {
			if ((int)s.values.size() != columns / 2)
				wrong("products of wgmma of different shapes go to the same registers");
			return s;
		}
	if (!mine.fenced)
		wrong("wgmma without wgmma.fence after its registers were used");
	mine.sums.erase(std::remove_if(mine.sums.begin(), mine.sums.end(), [](const Accumulators &s) { return s.awaited == 0; }), mine.sums.end());
	mine.sums.push_back({d, std::vector<float>(d, d + columns / 2), 0});
	std::fill(d, d + columns / 2, NAN);
	return mine.sums.back();
}

} // namespace

// The first that asks for an address makes the tensor cores' view.
uint32_t shared_address(const void *p) {
	if (block->seen.empty())
		block->seen.assign(block->shared_bytes, '\xff');
	return dynamic_address + (uint32_t)(static_cast<const char *>(p) - block->shared());
}

void copy_started(const Copy &c) {
	if (watched(c.to))
		memset(seen(c.to), 0xff, c.room);
}

void copy_arrived(const Copy &c) {
	if (watched(c.to))
		current->products.unfenced.push_back(c);
}

void fence_copies() {
	for (const Copy &c : current->products.unfenced)
		memcpy(seen(c.to), c.to, c.room);
	current->products.unfenced.clear();
}

void fence_registers() {
	sync_warp();
	current->products.fenced = true;
}

void wgmma(float *d, int columns, uint64_t a, uint64_t b, bool turned_a, bool turned_b) {
	Products &mine = current->products;
	Warp &w = *current->warp;
	sync_warp();
	code = __builtin_return_address(0);
	Accumulators &s = accumulators(d, columns);
	s.awaited++;
	if (mine.issued == w.products.size()) {
		Product p = {a, b, columns, turned_a, turned_b, {}, {}};
		p.operands = operands(p);
		w.products.push_back(std::move(p));
	}
	const Product &p = w.products[mine.issued++];
	if (p.a != a || p.b != b || p.columns != columns || p.turned_a != turned_a || p.turned_b != turned_b)
		wrong("lanes of a warp issue different products of wgmma");
	mine.destinations.push_back(d);
}

void commit_products() {
	Products &mine = current->products;
	sync_warp();
	if (mine.committed++ == current->warp->product_groups.size())
		current->warp->product_groups.push_back(mine.issued);
}

void wait_products(int still) {
	Products &mine = current->products;
	Warp &w = *current->warp;
	sync_warp();
	code = __builtin_return_address(0);
	const size_t groups = mine.committed, done = groups > (size_t)still ? groups - still : 0, end = done ? w.product_groups[done - 1] : 0;
	if (w.groups_done < done) { // the first lane, for all; what they have taken is no longer needed
		for (size_t i = w.forgotten; i < mine.taken; i++)
			w.products[i].result = {};
		w.forgotten = mine.taken;
		for (size_t i = mine.taken; i < end; i++)
			finish(w.products[i]);
		w.groups_done = done;
	}
	for (; mine.taken < end; mine.taken++)
		for (Accumulators &s : mine.sums)
			if (s.registers == mine.destinations[mine.taken] && s.awaited > 0)
				take(w.products[mine.taken], s);
	if (end > 0)
		mine.fenced = false;
}

void begin_products(Warp &w) {
	w.products.clear();
	w.product_groups.clear();
	w.groups_done = w.forgotten = 0;
}

// The four warps of a warpgroup must issue the same products.
void end_products() {
	for (size_t i = 0; i < block->warps.size(); i++) {
		const Warp &w = block->warps[i];
		if (i / 4 * 4 + 4 > block->warps.size()) {
			if (!w.products.empty())
				wrong("wgmma outside a warpgroup of four warps");
			continue;
		}
		const auto same = [](const Product &p, const Product &q) { return p.a == q.a && p.b == q.b && p.columns == q.columns; };
		const auto &first = block->warps[i / 4 * 4].products;
		if (!std::equal(w.products.begin(), w.products.end(), first.begin(), first.end(), same))
			wrong("warps of a warpgroup issue different products of wgmma");
	}
}

} // namespace emulator
