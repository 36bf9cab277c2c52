// Threads of a block as fibers. One runs until it waits; then the next of its warp does that need not wait, and where there
// is none, one of the next warp. The scheduler starts the first and goes on when the last has returned.
#include "emulator.h"

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {
namespace {

constexpr size_t stack_bytes = 256 << 10;

// Stacks begin at different places of their pages, and so do not all want the same lines of the caches.
constexpr size_t stack_colours = 64, colour_bytes = 17 * 64;

thread_local std::vector<Fiber> fibers; // by number in the block

[[noreturn]] void entry();

// The sanitizer is told of every change of stacks: before it, with where it goes (null: the scheduler), and after it.
#if defined(__SANITIZE_ADDRESS__)
OF_THREAD void *scheduler_sanitizer;
OF_THREAD const void *scheduler_stack;
OF_THREAD size_t scheduler_bytes;
OF_THREAD bool scheduled; // the fiber that runs now was started by the scheduler

void before_switch(void **save, const Fiber *to) {
	scheduled = save == &scheduler_sanitizer;
	__sanitizer_start_switch_fiber(save, to ? to->stack : scheduler_stack, to ? stack_bytes : scheduler_bytes);
}
void after_switch(void *saved) {
	const void *stack;
	size_t bytes;
	__sanitizer_finish_switch_fiber(saved, &stack, &bytes);
	if (scheduled) {
		scheduler_stack = stack;
		scheduler_bytes = bytes;
	}
}
void before_start(const Fiber &f) { before_switch(&scheduler_sanitizer, &f); }
void after_end() { __sanitizer_finish_switch_fiber(scheduler_sanitizer, nullptr, nullptr); }
#else
void before_switch(void **, const Fiber *) {}
void after_switch(void *) {}
void before_start(const Fiber &) {}
void after_end() {}
#endif

// Switching is a function call that returns on another stack.
#if defined(__x86_64__)

OF_THREAD void *scheduler;

extern "C" void emulator_switch(void **save, void *to);
__asm__(".text\n.type emulator_switch, @function\nemulator_switch:\n"
        "\tpushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n"
        "\tmovq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n"
        "\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret\n"
        ".size emulator_switch, . - emulator_switch\n");

// prepare makes a fiber begin at entry.
void prepare(Fiber &f, unsigned number) {
	void **top = reinterpret_cast<void **>(f.stack + stack_bytes - number % stack_colours * colour_bytes) - 1; // as after a call: 8 below a multiple of 16
	*--top = reinterpret_cast<void *>(entry);
	for (int i = 0; i < 6; i++)
		*--top = nullptr;
	f.stack_pointer = top;
}

void switch_fibers(Fiber *from, Fiber *to) { emulator_switch(from ? &from->stack_pointer : &scheduler, to ? to->stack_pointer : scheduler); }

#else

thread_local ucontext_t scheduler;
thread_local std::vector<ucontext_t> contexts;

void prepare(Fiber &f, unsigned number) {
	contexts.resize(fibers.size());
	ucontext_t &c = contexts[number];
	getcontext(&c);
	c.uc_stack.ss_sp = f.stack;
	c.uc_stack.ss_size = stack_bytes - number % stack_colours * colour_bytes;
	c.uc_link = nullptr;
	makecontext(&c, reinterpret_cast<void (*)()>(entry), 0);
}

ucontext_t &context(Fiber *f) { return f ? contexts[f - fibers.data()] : scheduler; }

void switch_fibers(Fiber *from, Fiber *to) { swapcontext(&context(from), &context(to)); }

#endif

[[noreturn]] void stuck() {
	fprintf(stderr, "emulator: kernel %s, block %u %u %u: threads wait at barriers that the others never reach\n", running->name,
	        block->index.x, block->index.y, block->index.z);
	abort();
}

Fiber *ready(const Warp &w, Fiber *from) {
	if (w.alive == 0)
		return nullptr;
	Fiber *f = from;
	do {
		if (!f->waits || *f->waits != f->turn)
			return f;
		f = f->next;
	} while (f != from);
	return nullptr;
}

// successor is who runs when f cannot; null when all have returned.
Fiber *successor(const Fiber &f) {
	if (Fiber *g = ready(*f.warp, f.next))
		return g;
	for (size_t i = 1, n = block->order.size(); i < n; i++) {
		const Warp &w = *block->order[(f.warp->place + i) % n];
		if (Fiber *g = ready(w, w.first))
			return g;
	}
	if (block->alive)
		stuck();
	return nullptr;
}

void run_next(Fiber &f, void **sanitizer) {
	Fiber *g = successor(f);
	current = g;
	here = g ? &g->thread : nullptr;
	before_switch(sanitizer, g);
	switch_fibers(&f, g);
}

// open lets the waiting go where all that are left have arrived.
void open(Counter &c, int alive) {
	if (c.arrived > 0 && c.arrived >= alive) {
		c.arrived = 0;
		c.turn++;
	}
}

void entry() {
	after_switch(nullptr);
	races::resume();
	running->body(arguments);
	Fiber &f = *current;
	Warp &w = *f.warp;
	f.previous->next = f.next;
	f.next->previous = f.previous;
	if (w.first == &f)
		w.first = f.next;
	open(w.barrier, --w.alive);
	open(block->barrier, --block->alive);
	run_next(f, nullptr);
	abort();
}

void arrange(Fiber &f, unsigned number) {
	if (!f.stack)
		f.stack = static_cast<char *>(map(stack_bytes));
	const uint3 &size = block->size;
	f.thread = {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
	f.lane = number % 32;
	f.exchanges = 0;
	f.waits = nullptr;
	f.copies.started.clear();
	f.copies.groups.clear();
	f.copies.arrived = f.copies.waited = 0;
	f.products = Products();
	f.race = races::Thread();
	f.race.number = number;
	prepare(f, number);
}

// enlist puts a fiber at the end of its warp's ring.
void enlist(Fiber &f, Warp &w) {
	f.warp = &w;
	if (w.alive++ == 0) {
		w.first = f.next = f.previous = &f;
		return;
	}
	f.next = w.first;
	f.previous = w.first->previous;
	f.previous->next = w.first->previous = &f;
}

} // namespace

void yield() {
	Fiber &f = *current;
	run_next(f, &f.sanitizer);
	after_switch(f.sanitizer);
	races::resume();
}

void run_block(Order &o) {
	const unsigned n = block->size.x * block->size.y * block->size.z;
	if (fibers.size() < n)
		fibers.resize(n);
	block->barrier = Counter();
	block->alive = n;
	block->warps.resize((n + 31) / 32);
	block->order.clear();
	for (Warp &w : block->warps) {
		w.barrier = Counter();
		w.alive = 0;
		for (auto &s : w.shown)
			memset(s.values, 0, sizeof s.values); // of lanes that return and never show one
		begin_products(w);
	}
	for (unsigned i : o.of((n + 31) / 32)) {
		block->warps[i].place = (unsigned)block->order.size();
		block->order.push_back(&block->warps[i]);
	}
	for (unsigned lane : o.of(32))
		for (unsigned i = lane; i < n; i += 32) {
			arrange(fibers[i], i);
			enlist(fibers[i], block->warps[i / 32]);
		}
	memset(block->shared(), 0xff, block->shared_bytes);
	block->seen.clear();
	current = block->order[0]->first;
	here = &current->thread;
	before_start(*current);
	switch_fibers(nullptr, current);
	after_end();
	end_products();
}

} // namespace emulator
