// What the race detector says, with lines of sources where there is addr2line (binutils). See races.h.
#include "shadow.h"

#if defined(EMULATOR_RACES)

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <set>
#include <string>
#include <tuple>

namespace races {

namespace {

// line is where code comes from: file:line, and the lines that functions which were put into their callers were called at.
std::string line(uint32_t code) {
	Dl_info library;
	if (!code || !dladdr(reinterpret_cast<void *>(&describe_thread), &library))
		return "";
	char command[4096];
	snprintf(command, sizeof command, "addr2line -s -i -e '%s' 0x%x 2>/dev/null", library.dli_fname, code);
	FILE *f = popen(command, "r");
	if (!f)
		return "";
	std::string all, last;
	char text[1024];
	while (fgets(text, sizeof text, f)) {
		text[strcspn(text, " \n")] = 0;
		if (text != last)
			all += (all.empty() ? ", " : " in ") + std::string(text);
		last = text;
	}
	pclose(f);
	return all;
}

void done() {
	const char *v = getenv("EMULATOR_RACES");
	fflush(stderr);
	if (!v || strcmp(v, "all"))
		abort();
}

// once tells whether the same was not reported before of an operation.
bool once(uint32_t code, uint32_t other) {
	static std::set<std::tuple<uint32_t, uint32_t, uint32_t>> reported;
	return reported.insert({operation, code, other}).second;
}

const char *doing(Kind k) { return k == reads ? "reads" : k == changes ? "atomically changes" : "writes"; }

} // namespace

void report(const Conflict &c) {
	if (!once(c.now.code, c.earlier.code))
		return;
	const std::string name = operation_name(c.now.operation), other = operation_name(c.earlier.operation);
	char room[128], first[64], second[64];
	describe_memory(c.p, room, sizeof room);
	describe_thread(c.now, second, sizeof second);
	describe_thread(c.earlier, first, sizeof first);
	const char *did = !c.earlier_writes ? "has read" : (c.earlier.position & atomic_bit) ? "has atomically changed" : (c.earlier.position & pending_bit) ? "has a copy on its way to" : "has written";
	fprintf(stderr, "emulator: race in %s: %s %s %zu bytes of %s%s\n", name.c_str(), second, doing(c.kind), c.bytes, room, line(c.now.code).c_str());
	fprintf(stderr, "emulator: %s%s%s %s them, and nothing orders the two%s\n", first, c.now.operation == c.earlier.operation ? "" : " of ",
	        c.now.operation == c.earlier.operation ? "" : other.c_str(), did, line(c.earlier.code).c_str());
	done();
}

void report_unwritten(const void *p, size_t bytes, const Record &now) {
	if (!once(now.code, 0))
		return;
	const std::string name = operation_name(now.operation);
	char room[128], thread[64];
	describe_memory(p, room, sizeof room);
	describe_thread(now, thread, sizeof thread);
	fprintf(stderr, "emulator: in %s %s reads %zu bytes of %s that nothing has written%s\n", name.c_str(), thread, bytes, room, line(now.code).c_str());
	done();
}

} // namespace races

#endif
