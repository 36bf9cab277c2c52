// Launches: blocks one after the other, and threads of flat kernels. See emulator.h.
#include "emulator.h"

#include <atomic>
#include <sys/mman.h>
#include <utility>

namespace emulator {

OF_THREAD Block *block;
OF_THREAD Fiber *current;
OF_THREAD const uint3 *here;
OF_THREAD char *static_shared;
OF_THREAD const Kernel *running;
OF_THREAD const void *arguments;
Kernel *kernels;

Kernel::Kernel(const char *name, void (*body)(const void *), size_t args, int threads, bool flat)
    : name(name), body(body), args(args), threads(threads), flat(flat), next(kernels) {
	kernels = this;
}

Order::Order() {
	const char *o = getenv("EMULATOR_ORDER");
	kind = !o ? forward : !strcmp(o, "reverse") ? reverse : !strcmp(o, "shuffle") ? shuffle : forward;
}

const std::vector<unsigned> &Order::of(unsigned n) {
	list.resize(n);
	for (unsigned i = 0; i < n; i++)
		list[i] = kind == reverse ? n - 1 - i : i;
	for (unsigned i = n; kind == shuffle && i > 1; i--) {
		random = random * 1664525 + 1013904223; // Numerical Recipes' generator
		std::swap(list[i - 1], list[(uint64_t)random * i >> 32]);
	}
	return list;
}

constexpr size_t shared_bytes = 64 << 20;

size_t reserve_shared(size_t bytes) {
	static std::atomic<size_t> used;
	const size_t at = used.fetch_add((bytes + 127) / 128 * 128);
	if (at + bytes > shared_bytes)
		abort();
	return at;
}

void *map(size_t bytes) {
	void *m = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m == MAP_FAILED)
		abort();
	return m;
}

static void run_flat() {
	uint3 &t = block->thread;
	unsigned n = 0;
	here = &t;
	for (t.z = 0; t.z < block->size.z; t.z++)
		for (t.y = 0; t.y < block->size.y; t.y++)
			for (t.x = 0; t.x < block->size.x; t.x++) {
				races::begin_thread(n++);
				running->body(arguments);
			}
}

void run(const Kernel &k, uint3 grid, uint3 size, unsigned shared, const void *args) {
	Block b;
	block = &b;
	running = &k;
	arguments = args;
	b.count = grid;
	b.size = size;
	b.shared_bytes = shared;
	if (!races::on)
		b.dynamic.resize(shared + 128);
	if (!static_shared)
		static_shared = races::on ? races::static_shared() : static_cast<char *>(map(shared_bytes));
	Order blocks, threads;
	for (unsigned i : blocks.of(grid.x * grid.y * grid.z)) {
		races::begin_block(i);
		b.index = {i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
		if (k.flat)
			run_flat();
		else
			run_block(threads);
	}
	block = nullptr;
	here = nullptr;
}

} // namespace emulator
