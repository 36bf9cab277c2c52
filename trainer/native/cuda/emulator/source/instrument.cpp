// What g++ calls for -fsanitize=thread, before each access of a kernel. See races.h.
#include "shadow.h"

#if defined(EMULATOR_RACES)

#include "races.h"

namespace races {

void read(const void *p, size_t bytes, const void *code) {
	if (watched(p))
		access(p, bytes, reads, code);
}

void write(const void *p, size_t bytes, const void *code) {
	if (watched(p))
		access(p, bytes, writes, code);
}

void atomic(const void *p, size_t bytes, const void *code) {
	if (!watched(p))
		return;
	access(p, bytes, changes, code);
	if (!is_shared(p))
		meet(p);
}

void copy_starts(const void *to, size_t bytes, const void *code) {
	if (watched(to))
		access(to, bytes, starts, code);
}

void copy_arrives(const void *to, size_t bytes) {
	if (watched(to))
		access(to, bytes, arrives, nullptr);
}

} // namespace races

#define CALLER __builtin_return_address(0)
#define ACCESS(n)                                                                          \
	void __tsan_read##n(void *p) { races::read(p, n, CALLER); }                            \
	void __tsan_write##n(void *p) { races::write(p, n, CALLER); }                          \
	void __tsan_unaligned_read##n(void *p) { races::read(p, n, CALLER); }                  \
	void __tsan_unaligned_write##n(void *p) { races::write(p, n, CALLER); }

extern "C" {

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(void *p, size_t bytes) { races::read(p, bytes, CALLER); }
void __tsan_write_range(void *p, size_t bytes) { races::write(p, bytes, CALLER); }
void __tsan_vptr_update(void *, void *) {}
void __tsan_init() {}
unsigned char __tsan_atomic8_load(const volatile void *p, int) { return __atomic_load_n(static_cast<const volatile unsigned char *>(p), __ATOMIC_ACQUIRE); } // guards of static variables

} // extern "C"

#endif
