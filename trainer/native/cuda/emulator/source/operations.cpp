// Operations: launches, copies and fills, one at a time; and the memory they work on. See races.h.
#include "shadow.h"

#if defined(EMULATOR_RACES)

#include "emulator.h"
#include "order.h"

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

namespace races {

uint32_t operation;

namespace {

std::mutex guard; // of all that is kept: one operation is done at a time

struct Kept {
	const char *name;
	order::Where where;
};
std::deque<Kept> kept; // by number, less one
std::atomic<uint32_t> begun;

// What was asked last of operations against the one that runs.
struct Answer {
	uint32_t earlier, now;
	bool before;
} answers[256];

bool before(uint32_t earlier) {
	Answer &a = answers[earlier % 256];
	if (a.earlier != earlier || a.now != operation) {
		const order::Where &now = kept[operation - 1].where;
		a = {earlier, operation, earlier < now.horizon || order::before(kept[earlier - 1].where, now)};
	}
	return a.before;
}

std::map<char *, size_t> allocations; // bytes by address

} // namespace

uint32_t operations() { return begun; }

Operation::Operation(const char *name) {
	guard.lock();
	order::Where w = order::where;
	w.horizon = order::horizon();
	kept.push_back({name, w});
	operation = ++begun;
	begin_launch();
}

Operation::~Operation() {
	operation = 0;
	guard.unlock();
}

bool ordered(const Record &r) { return r.operation == operation ? ordered_in_launch(r) : before(r.operation); }

const char *operation_name(uint32_t o) { return kept[o - 1].name; }

char *static_shared() { return memory; }
char *dynamic_shared() { return memory + static_bytes; }

// The first gap that is wide enough is taken.
void *allocate(size_t bytes) {
	std::lock_guard<std::mutex> l(guard);
	char *at = memory + shared_bytes;
	for (const auto &a : allocations) {
		if (a.first - at >= (ptrdiff_t)bytes)
			break;
		at = a.first + (a.second + 511) / 256 * 256; // a gap between any two
	}
	if (at + bytes > memory + memory_bytes)
		return nullptr;
	allocations[at] = bytes;
	return at;
}

void give_back(void *p, size_t bytes) {
	std::lock_guard<std::mutex> l(guard);
	allocations.erase(static_cast<char *>(p));
	forget(p, bytes);
}

void describe_memory(const void *p, char *text, size_t size) {
	char *c = static_cast<char *>(const_cast<void *>(p));
	if (is_shared(p)) {
		snprintf(text, size, "shared memory");
		return;
	}
	auto i = allocations.upper_bound(c);
	if (i == allocations.begin())
		snprintf(text, size, "device memory that is not allocated");
	else
		--i, snprintf(text, size, "device memory, %zu bytes into an allocation of %zu", (size_t)(c - i->first), i->second);
}

} // namespace races

#endif
