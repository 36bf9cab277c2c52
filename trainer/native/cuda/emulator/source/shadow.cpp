// Cells of memory: one for each word of four bytes, or, once parts of it are accessed, for each of its bytes.
#include "shadow.h"

#if defined(EMULATOR_RACES)

#include "emulator.h"

#include <algorithm>
#include <sys/mman.h>

namespace races {
namespace {

char *map(size_t bytes) { return static_cast<char *>(emulator::map(bytes)); }

extern "C" const char __ehdr_start __attribute__((visibility("hidden"))); // of the library, from the linker

constexpr uint32_t parted = ~0u; // operation of the first writer: the cells of the bytes count

Cell *const words = reinterpret_cast<Cell *>(map(memory_bytes / 4 * sizeof(Cell)));
Cell *const single = reinterpret_cast<Cell *>(map(memory_bytes * sizeof(Cell)));

bool same(const Record &a, const Record &b) { return a.position == b.position && a.operation == b.operation; }

// insert puts an access beside others that may be unordered with it.
void insert(Record (&slots)[2], const Record &r) {
	Record kept[3];
	int n = 0;
	for (const Record &s : slots)
		if (s.operation && !ordered(s))
			kept[n++] = s;
	kept[n++] = r;
	if (n == 3 && distance(kept[0], kept[2]) > distance(kept[0], kept[1]))
		kept[1] = kept[2];
	slots[0] = kept[0];
	slots[1] = n > 1 ? kept[1] : Record();
}

// begin_cell forgets what another block did with shared memory.
void begin_cell(Cell &c) {
	const Record &r = c.writers[0].operation ? c.writers[0] : c.readers[0];
	if (r.operation && !of_block(r))
		c = Cell();
}

void part(Cell &c, Cell *bytes) {
	if (c.writers[0].operation == parted)
		return;
	std::fill(bytes, bytes + 4, c);
	c.writers[0].operation = parted;
}

struct Access {
	const void *p;
	size_t bytes;
	Kind kind;
	Record now;

	// against reports what nothing orders.
	void against(const Record &r, bool write) const {
		if (!r.operation || ordered(r))
			return;
		if (kind == arrives && (r.position & pending_bit)) // itself
			return;
		report({p, bytes, kind, now, r, write});
	}

	void to(Cell &c) const {
		if (kind == reads) {
			if (same(c.readers[0], now) || same(c.readers[1], now))
				return;
			for (const Record &w : c.writers)
				against(w, true);
			if (!c.writers[0].operation)
				report_unwritten(p, bytes, now);
			insert(c.readers, now);
			return;
		}
		for (const Record &w : c.writers)
			if (kind != changes || !(w.position & atomic_bit))
				against(w, true);
		for (const Record &r : c.readers)
			against(r, false);
		if (kind == changes && !c.writers[0].operation)
			report_unwritten(p, bytes, now);
		c.readers[0] = c.readers[1] = Record();
		if (kind == changes) {
			insert(c.writers, now);
			return;
		}
		c.writers[0] = {now.position, now.operation, kind == arrives ? c.writers[0].code : now.code};
		c.writers[1] = Record();
	}

	// to_word is the same for bytes of a word, first <= byte < end.
	void to_word(size_t word, size_t first, size_t end) const {
		Cell &whole = words[word], *parts = single + 4 * word;
		const bool shared = is_shared(memory + 4 * word), all = end - first == 4;
		if (all && whole.writers[0].operation != parted) {
			if (shared)
				begin_cell(whole);
			to(whole);
			return;
		}
		part(whole, parts);
		for (size_t i = first; i < end; i++) {
			if (shared)
				begin_cell(parts[i]);
			to(parts[i]);
		}
		if (all && kind != reads && kind != changes)
			whole = parts[0];
	}
};

// The call that returns to code is the instruction before.
uint32_t within_library(const void *code) { return code ? (uint32_t)(static_cast<const char *>(code) - &__ehdr_start) - 1 : 0; }

} // namespace

char *memory = map(memory_bytes);

void access(const void *p, size_t bytes, Kind kind, const void *code) {
	if (!operation)
		return;
	const uint64_t bit = kind == changes ? atomic_bit : kind == starts ? pending_bit : 0;
	const Access a = {p, bytes, kind, {position | bit, operation, within_library(code)}};
	const size_t first = static_cast<const char *>(p) - memory, end = first + bytes;
	for (size_t word = first / 4; word * 4 < end; word++)
		a.to_word(word, std::max(first, word * 4) - word * 4, std::min(end, word * 4 + 4) - word * 4);
}

void forget(const void *p, size_t bytes) {
	const size_t first = static_cast<const char *>(p) - memory;
	madvise(words + first / 4, (bytes + 3) / 4 * sizeof(Cell), MADV_DONTNEED);
	madvise(single + first, bytes * sizeof(Cell), MADV_DONTNEED);
}

} // namespace races

#endif
