// Threads of a launch: where each is, and what of others comes before. See races.h.
#include "shadow.h"

#if defined(EMULATOR_RACES)

#include "emulator.h"

#include <unordered_map>

namespace races {

// A position, from its lowest bit on: thread 10, fences 6, turns of the warp 11, turns of the block 13, block 22, pending, atomic.
uint64_t position;

// Log is who has released at an address, in order.
struct Log {
	struct Entry {
		size_t index;
		uint64_t position;
	};
	std::unordered_map<uint64_t, std::vector<Entry>> of; // by block
	std::vector<std::pair<size_t, Seen>> through;        // what those who released knew of others
	size_t length = 0;
};

namespace {

uint64_t thread_of(uint64_t p) { return p & 1023; }
uint64_t warp_of(uint64_t p) { return thread_of(p) / 32; }
uint64_t fences_of(uint64_t p) { return p >> 10 & 63; }
uint64_t warp_turns_of(uint64_t p) { return p >> 16 & 2047; }
uint64_t turns_of(uint64_t p) { return p >> 27 & 8191; }
uint64_t block_of(uint64_t p) { return p >> 40 & 0x3fffff; }

uint64_t block_number;
Thread flat;
Handed of_all, arriving; // what barriers of the block have spread; what threads bring to the next
int arrived_turn;        // of the block, when of_all was made
std::unordered_map<const void *, std::shared_ptr<Log>> logs; // of the launch

Thread &thread() { return emulator::current ? emulator::current->race : flat; }

// within_block tells whether x comes before p, of the same block, by barriers or as the thread's own.
bool within_block(uint64_t x, uint64_t p) {
	if (thread_of(x) == thread_of(p) || turns_of(x) < turns_of(p))
		return true;
	return warp_of(x) == warp_of(p) && warp_turns_of(x) < warp_turns_of(p);
}

// covered tells whether what was at x had been done when a thread came to a fence at f.
bool covered(uint64_t x, uint64_t f) {
	if (thread_of(x) == thread_of(f) && turns_of(x) == turns_of(f))
		return fences_of(x) <= fences_of(f);
	return within_block(x, f);
}

bool knows(const Seen &s, uint64_t x) {
	const auto i = s.log->of.find(block_of(x));
	if (i != s.log->of.end())
		for (const Log::Entry &e : i->second)
			if (e.index < s.length && covered(x, e.position))
				return true;
	for (const auto &t : s.log->through)
		if (t.first < s.length && knows(t.second, x))
			return true;
	return false;
}

bool knows(const Handed &h, uint64_t x) {
	for (const Seen &s : h.known)
		if (knows(s, x))
			return true;
	return false;
}

[[noreturn]] void too_many(const char *what) {
	fprintf(stderr, "emulator: kernel %s: too many %s for the race detector\n", emulator::running->name, what);
	abort();
}

// add puts what is known of an address in place of what was known of it before.
void add(std::vector<Seen> &to, const Seen &s) {
	for (Seen &o : to)
		if (o.log == s.log) {
			o.length = std::max(o.length, s.length);
			return;
		}
	to.push_back(s);
}

void release(Log &log, const Handed &h) {
	for (uint64_t f : h.fenced) {
		auto &entries = log.of[block_of(f)];
		if (entries.empty() || entries.back().position != f)
			entries.push_back({log.length++, f});
	}
	for (const Seen &s : h.known)
		if (s.log.get() != &log && !h.fenced.empty())
			log.through.push_back({log.length++, s});
}

} // namespace

void Handed::add(const Handed &h) {
	for (uint64_t f : h.fenced)
		fenced.push_back(f);
	for (const Seen &s : h.met)
		races::add(met, s);
	for (const Seen &s : h.known)
		races::add(known, s);
}

void Handed::clear() {
	fenced.clear();
	met.clear();
	known.clear();
}

bool of_block(const Record &r) { return r.operation == operation && block_of(r.position) == block_number; }

bool ordered_in_launch(const Record &r) {
	if (r.position & pending_bit)
		return false;
	if (block_of(r.position) == block_number && within_block(r.position, position))
		return true;
	return knows(thread().handed, r.position) || knows(of_all, r.position);
}

int distance(const Record &a, const Record &b) {
	if (a.operation != b.operation)
		return 3;
	if (block_of(a.position) != block_of(b.position))
		return 2;
	return warp_of(a.position) != warp_of(b.position);
}

void describe_thread(const Record &r, char *text, size_t size) {
	snprintf(text, size, "block %u, thread %u", (unsigned)block_of(r.position), (unsigned)thread_of(r.position));
}

void begin_launch() {
	logs.clear();
	position = 0;
}

void begin_block(unsigned number) {
	if (number >> 22)
		too_many("blocks");
	block_number = number;
	of_all.clear();
	arriving.clear();
	arrived_turn = 0;
}

void begin_thread(unsigned number) {
	flat.handed.clear();
	flat.fences = 0;
	position = block_number << 40 | number;
}

void resume() {
	const Thread &t = thread();
	if (!emulator::current) {
		position = block_number << 40 | thread_of(position) | (uint64_t)t.fences << 10;
		return;
	}
	const unsigned turns = (unsigned)emulator::block->barrier.turn;
	if (turns > 8191 || t.warp_turns > 2047)
		too_many("barriers");
	if (t.fences > 63)
		too_many("fences");
	position = block_number << 40 | (uint64_t)turns << 27 | (uint64_t)t.warp_turns << 16 | (uint64_t)t.fences << 10 | t.number;
}

void arrive() {
	Thread &t = thread();
	arriving.add(t.handed);
	t.handed.clear();
}

void passed() {
	Thread &t = thread();
	t.warp_turns = t.fences = 0;
	if (arrived_turn != emulator::block->barrier.turn) {
		arrived_turn = emulator::block->barrier.turn;
		of_all.add(arriving);
		arriving.clear();
	}
	resume();
}

void passed_warp() {
	thread().warp_turns++;
	resume();
}

// What others released at addresses that the thread has met is known from here on.
void fence() {
	Thread &t = thread();
	t.handed.fenced.push_back(position);
	for (const Seen &s : t.handed.met)
		add(t.handed.known, s);
	for (const Seen &s : of_all.met)
		add(t.handed.known, s);
	t.fences++;
	resume();
}

void meet(const void *p) {
	Thread &t = thread();
	const auto i = logs.find(p);
	if (i == logs.end() && t.handed.fenced.empty() && of_all.fenced.empty())
		return;
	std::shared_ptr<Log> &log = i == logs.end() ? logs[p] : i->second;
	if (!log)
		log = std::make_shared<Log>();
	const size_t before = log->length;
	release(*log, t.handed);
	release(*log, of_all);
	if (before)
		add(t.handed.met, {log, before});
}

} // namespace races

#endif
