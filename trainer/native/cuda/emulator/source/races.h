// The race detector, with EMULATOR_RACES=1: it is told of every access of kernels to device memory and to shared memory, by calls
// that g++ puts in for -fsanitize=thread (instrument.cpp), and of what orders threads, blocks and launches. An access that nothing
// orders against an earlier one of the same bytes, one of them being a write and not both atomic, ends the process with a report;
// so does a read of what nothing has written. With EMULATOR_RACES=all it goes on after each.
//
// What orders: __syncthreads for threads of a block, __syncwarp for those of a warp (shuffles, votes and products do not: they
// promise nothing about memory), streams, events, captures and waits of the host for launches and copies; and __threadfence, an
// atomic operation in device memory, another one there, __threadfence, for threads of a launch, together with barriers before
// and after.
//
// Without EMULATOR_RACES nothing here does anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace races {

#if defined(EMULATOR_RACES)
constexpr bool on = true;
#define EMULATED_ATOMIC __attribute__((noinline, no_sanitize("thread")))
#else
constexpr bool on = false;
#define EMULATED_ATOMIC
#endif

struct Log;

// Seen is what is known of the threads that released at an address.
struct Seen {
	std::shared_ptr<Log> log;
	size_t length;
};

// Handed is what a thread hands on by fences and atomic operations.
struct Handed {
	std::vector<uint64_t> fenced;  // positions of threads at fences, to be released by the next atomic operation
	std::vector<Seen> met, known;  // by atomic operations, and since by a fence
	void add(const Handed &h);
	void clear();
};

// Thread is what is known of a thread of a block.
struct Thread {
	unsigned number = 0;     // in the block
	unsigned warp_turns = 0; // __syncwarp since the last barrier of the block
	unsigned fences = 0;     // since then
	Handed handed;
};

#if defined(EMULATOR_RACES)

uint32_t operations(); // launches, copies and fills so far

// Operation is a launch, copy or fill while it is done, one at a time.
class Operation {
public:
	explicit Operation(const char *name);
	~Operation();
};

void begin_block(unsigned number);
void begin_thread(unsigned number); // of a flat kernel
void resume();                      // a fiber runs
void arrive();                      // at a barrier of the block, which all pass
void passed();
void passed_warp();
void fence();

void read(const void *p, size_t bytes, const void *code);
void write(const void *p, size_t bytes, const void *code);
void atomic(const void *p, size_t bytes, const void *code);
void copy_starts(const void *to, size_t bytes, const void *code); // until it arrives nobody may touch the place
void copy_arrives(const void *to, size_t bytes);

void *allocate(size_t bytes); // device memory; null when there is none
void give_back(void *p, size_t bytes);
void forget(const void *p, size_t bytes); // accesses: the memory changes hands
char *static_shared();
char *dynamic_shared();

#else

inline uint32_t operations() { return 0; }

class Operation {
public:
	explicit Operation(const char *) {}
	~Operation() {}
};

inline void begin_block(unsigned) {}
inline void begin_thread(unsigned) {}
inline void resume() {}
inline void arrive() {}
inline void passed() {}
inline void passed_warp() {}
inline void fence() {}
inline void read(const void *, size_t, const void *) {}
inline void write(const void *, size_t, const void *) {}
inline void atomic(const void *, size_t, const void *) {}
inline void copy_starts(const void *, size_t, const void *) {}
inline void copy_arrives(const void *, size_t) {}
inline void *allocate(size_t bytes) { return aligned_alloc(256, (bytes + 255) / 256 * 256); }
inline void give_back(void *p, size_t) { free(p); }
inline void forget(const void *, size_t) {}
inline char *static_shared() { return nullptr; }
inline char *dynamic_shared() { return nullptr; }

#endif

} // namespace races
