// What is kept of accesses to memory. See races.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace races {

// Record is an access: by which thread, in which of its turns (position, see threads.cpp), of which operation (0: none), by which
// code (bytes from the library's start).
struct Record {
	uint64_t position;
	uint32_t operation, code;
};

// Cell has the accesses that matter to later ones: the last plain write, or two atomic ones, and two reads since, as far from each
// other as any two that were: of different operations, blocks, warps, threads. What conflicts with any conflicts with one of two.
struct Cell {
	Record writers[2], readers[2];
};

enum Kind { reads, writes, changes, starts, arrives }; // changes: atomically; starts, arrives: an asynchronous copy

// All memory that is looked after lies in one piece of the address space: shared memory first, then device memory.
constexpr size_t memory_bytes = 64ull << 30, static_bytes = 64 << 20, shared_bytes = 80 << 20;
extern char *memory;

inline bool watched(const void *p) { return static_cast<size_t>(static_cast<const char *>(p) - memory) < memory_bytes; }
inline bool is_shared(const void *p) { return static_cast<size_t>(static_cast<const char *>(p) - memory) < shared_bytes; }

void access(const void *p, size_t bytes, Kind kind, const void *code);

// Of threads.cpp and operations.cpp: the position and the operation that run, and what is ordered.
constexpr uint64_t atomic_bit = 1ull << 63, pending_bit = 1ull << 62;
extern uint64_t position;
extern uint32_t operation;
bool ordered(const Record &earlier); // before the position that runs
bool ordered_in_launch(const Record &earlier); // the same of an access of the operation that runs
int distance(const Record &a, const Record &b); // 3: of two operations, 2: blocks, 1: warps, 0
bool of_block(const Record &r);                 // of the block that runs
void meet(const void *p);                       // an atomic operation
void begin_launch();
void describe_thread(const Record &r, char *text, size_t size);

// Of report.cpp.
struct Conflict {
	const void *p;
	size_t bytes;
	Kind kind;
	Record now, earlier;
	bool earlier_writes;
};
void report(const Conflict &c);
void report_unwritten(const void *p, size_t bytes, const Record &now);

// Of operations and allocations, for reports.
const char *operation_name(uint32_t operation);
void describe_memory(const void *p, char *text, size_t size);

} // namespace races
