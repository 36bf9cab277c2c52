// See emulator.h.
#include "emulator.h"

#include <algorithm>
#include <random>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {

__thread Block *block;
__thread uint3 flat_thread;
Kernel *kernels;

Kernel::Kernel(const char *name, void (*body)(const void *), size_t args, int threads, bool flat)
    : name(name), body(body), args(args), threads(threads), flat(flat), next(kernels) {
	kernels = this;
}

namespace {

enum Order { forward, reverse, shuffled };

Order order() {
	const char *o = getenv("EMULATOR_ORDER");
	return !o ? forward : !strcmp(o, "reverse") ? reverse : !strcmp(o, "shuffle") ? shuffled : forward;
}

// sequence is 0..n-1 in the order of the launch.
void sequence(std::vector<unsigned> &s, unsigned n, Order o, std::mt19937 &random) {
	s.resize(n);
	for (unsigned i = 0; i < n; i++)
		s[i] = o == reverse ? n - 1 - i : i;
	if (o == shuffled)
		std::shuffle(s.begin(), s.end(), random);
}

constexpr size_t stack_bytes = 256 << 10;

thread_local std::vector<Fiber> fibers;
thread_local const Kernel *running;
thread_local const void *arguments;

[[noreturn]] void entry();

#if defined(__SANITIZE_ADDRESS__)
// The sanitizer is told of every change of stacks.
thread_local void *scheduler_sanitizer;
thread_local const void *scheduler_stack;
thread_local size_t scheduler_bytes;
void leave_scheduler(Fiber &f) { __sanitizer_start_switch_fiber(&scheduler_sanitizer, f.stack, stack_bytes); }
void enter_scheduler() { __sanitizer_finish_switch_fiber(scheduler_sanitizer, nullptr, nullptr); }
void leave_fiber(Fiber &f) { __sanitizer_start_switch_fiber(f.done ? nullptr : &f.sanitizer, scheduler_stack, scheduler_bytes); }
void enter_fiber(void *sanitizer) { __sanitizer_finish_switch_fiber(sanitizer, &scheduler_stack, &scheduler_bytes); }
#else
void leave_scheduler(Fiber &) {}
void enter_scheduler() {}
void leave_fiber(Fiber &) {}
void enter_fiber(void *) {}
#endif

// Switching is a function call that returns on another stack.
#if defined(__x86_64__)

thread_local void *scheduler;

extern "C" void emulator_switch(void **save, void *to);
__asm__(".text\n.type emulator_switch, @function\nemulator_switch:\n"
        "\tpushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n"
        "\tmovq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n"
        "\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret\n"
        ".size emulator_switch, . - emulator_switch\n");

void start(Fiber &f) {
	void **top = reinterpret_cast<void **>(f.stack + stack_bytes) - 1; // as after a call: 8 below a multiple of 16
	*--top = reinterpret_cast<void *>(entry);
	for (int i = 0; i < 6; i++)
		*--top = nullptr;
	f.stack_pointer = top;
}

void switch_to(Fiber &f) { emulator_switch(&scheduler, f.stack_pointer); }
void switch_back(Fiber &f) { emulator_switch(&f.stack_pointer, scheduler); }

#else

thread_local ucontext_t scheduler;
thread_local std::vector<ucontext_t> contexts;

void start(Fiber &f) {
	contexts.resize(std::max(contexts.size(), fibers.size()));
	ucontext_t &c = contexts[f.number];
	getcontext(&c);
	c.uc_stack.ss_sp = f.stack;
	c.uc_stack.ss_size = stack_bytes;
	c.uc_link = nullptr;
	makecontext(&c, reinterpret_cast<void (*)()>(entry), 0);
}

void switch_to(Fiber &f) { swapcontext(&scheduler, &contexts[f.number]); }
void switch_back(Fiber &f) { swapcontext(&contexts[f.number], &scheduler); }

#endif

void resume(Fiber &f) {
	leave_scheduler(f);
	switch_to(f);
	enter_scheduler();
}

void yield() {
	Fiber &f = *block->current;
	leave_fiber(f);
	switch_back(f);
	enter_fiber(f.sanitizer);
}

// open lets the waiting go where all that are left have arrived.
void open(Counter &c, int alive) {
	if (c.arrived > 0 && c.arrived >= alive) {
		c.arrived = 0;
		c.turn++;
	}
}

void entry() {
	enter_fiber(nullptr);
	running->body(arguments);
	Fiber &f = *block->current;
	f.done = true;
	open(warp().barrier, --warp().alive);
	open(block->barrier, --block->alive);
	yield();
	abort();
}

[[noreturn]] void stuck() {
	fprintf(stderr, "emulator: kernel %s, block %u %u %u: threads wait at barriers that the others never reach\n", running->name,
	        block->index.x, block->index.y, block->index.z);
	abort();
}

void run_block(std::vector<unsigned> &turns, Order o, std::mt19937 &random) {
	unsigned n = block->size.x * block->size.y * block->size.z;
	if (fibers.size() < n)
		fibers.resize(n);
	block->barrier = Counter();
	block->alive = n;
	block->warps.resize((n + 31) / 32);
	for (Warp &w : block->warps) {
		w.barrier = Counter();
		w.alive = 0;
		memset(w.shown, 0, sizeof w.shown);
	}
	for (unsigned i = 0; i < n; i++) {
		Fiber &f = fibers[i];
		if (!f.stack) {
			void *m = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			if (m == MAP_FAILED)
				abort();
			f.stack = static_cast<char *>(m);
		}
		f.thread = {i % block->size.x, i / block->size.x % block->size.y, i / (block->size.x * block->size.y)};
		f.number = i;
		f.done = false;
		f.exchanges = 0;
		f.waits = nullptr;
		f.copies.assign(1, {});
		block->warps[i / 32].alive++;
		start(f);
	}
	std::fill(block->dynamic.begin(), block->dynamic.end(), '\xff');
	sequence(turns, n, o, random);
	for (unsigned left = n; left > 0;) {
		bool moved = false;
		for (unsigned i : turns) {
			Fiber &f = fibers[i];
			if (f.done || (f.waits && *f.waits == f.turn))
				continue;
			f.waits = nullptr;
			block->current = &f;
			resume(f);
			moved = true;
			left -= f.done;
		}
		if (!moved)
			stuck();
	}
}

void run_flat() {
	for (flat_thread.z = 0; flat_thread.z < block->size.z; flat_thread.z++)
		for (flat_thread.y = 0; flat_thread.y < block->size.y; flat_thread.y++)
			for (flat_thread.x = 0; flat_thread.x < block->size.x; flat_thread.x++)
				running->body(arguments);
}

float value(uint32_t pair, int half) {
	uint32_t u = half ? pair & 0xffff0000u : pair << 16;
	return __uint_as_float(u);
}

void arrive(const Copy &c) {
	if (c.bytes)
		memcpy(c.to, c.from, c.bytes);
	memset(static_cast<char *>(c.to) + c.bytes, 0, c.room - c.bytes);
}

} // namespace

uint3 thread() { return running->flat ? flat_thread : block->current->thread; }

void wait(Counter &c, int alive) {
	if (++c.arrived >= alive) {
		c.arrived = 0;
		c.turn++;
		return;
	}
	block->current->waits = &c.turn;
	block->current->turn = c.turn;
	yield();
}

// Sums are added four by four, then these four.
void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
	typedef float Four __attribute__((vector_size(16)));
	Warp::Shown &w = shown();
	const unsigned l = lane(), g = l / 4, t = l % 4;
	for (int j = 0; j < 2; j++) {
		for (int i = 0; i < 4; i++)
			w.a[g + 8 * (i % 2)][2 * t + 8 * (i / 2) + j] = value(a[i], j);
		for (int i = 0; i < 2; i++)
			w.b[g][2 * t + 8 * i + j] = value(b[i], j);
	}
	sync_warp();
	for (int i = 0; i < 4; i++) {
		const Four *x = reinterpret_cast<const Four *>(w.a[g + 8 * (i / 2)]), *y = reinterpret_cast<const Four *>(w.b[2 * t + i % 2]);
		const Four s = x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3];
		d[i] += s[0] + s[1] + s[2] + s[3];
	}
}

void load_matrices(uint32_t (&r)[4], const void *row, bool transposed) {
	Warp::Shown &w = shown();
	unsigned l = lane();
	w.rows[l] = row;
	if (reinterpret_cast<uintptr_t>(row) % 16 != 0) {
		fprintf(stderr, "emulator: kernel %s: a row of a matrix begins at no multiple of 16 bytes\n", running->name);
		abort();
	}
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
	memset(to, 0xff, room); // until it arrives
	block->current->copies.back().push_back({to, from, bytes, room});
}

void commit_copies() { block->current->copies.emplace_back(); }

void wait_copies(int still) {
	auto &groups = block->current->copies;
	while ((int)groups.size() - 1 > still) {
		for (const Copy &c : groups.front())
			arrive(c);
		groups.erase(groups.begin());
	}
}

void run(const Kernel &k, uint3 grid, uint3 size, unsigned shared, const void *args) {
	Block *before = block, here;
	running = &k;
	arguments = args;
	block = &here;
	block->count = grid;
	block->size = size;
	block->dynamic.resize(shared + 128);
	Order o = order();
	std::mt19937 random(1);
	std::vector<unsigned> blocks, turns;
	sequence(blocks, grid.x * grid.y * grid.z, o, random);
	for (unsigned i : blocks) {
		block->index = {i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
		if (k.flat)
			run_flat();
		else
			run_block(turns, o, random);
	}
	block = before;
}

} // namespace emulator
