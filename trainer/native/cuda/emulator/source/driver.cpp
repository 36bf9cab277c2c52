// A libcuda.so.1 for tests: one GPU, which is the emulator. It has as many of the driver's functions as mapsweep calls, and
// is strict about what the driver forbids. The environment sets what it is like: FAKE_CUDA_COUNT devices (1),
// FAKE_CUDA_MEMORY bytes of memory (8 GiB), FAKE_CUDA_INIT, the result of cuInit (0), FAKE_CUDA_LOSE: the number of the
// launch at which the context is lost, or "next" (none), FAKE_CUDA_CAPABILITY, 10 major + minor (80), FAKE_CUDA_POOL: the pool keeps
// what is freed. A reset of the primary context heals a lost one, unless FAKE_CUDA_STAYS_LOST is set.
#include "emulator.h"
#include "order.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace {

enum { success = 0, invalid_value = 1, out_of_memory = 2, invalid_device = 101, invalid_context = 201, invalid_handle = 400, lossy_query = 402, not_found = 500, not_ready = 600, illegal_address = 700, context_active = 708,
       capture_unsupported = 900, capture_invalidated = 901, capture_unmatched = 903, capture_unjoined = 904 };

using Work = std::function<void()>;

struct Stream;

// Item of a graph: work of a stream, or the end of what another stream did beside it.
struct Item {
	Work work;
	Stream *stream;
	Stream *joined; // work of that stream, as far as it stands before, is done here; null: this is work
	std::vector<size_t> after; // the items that it waits for
	bool dependent;            // it may begin before the one item that it waits for has ended
	std::shared_ptr<const order::Place> place; // of work
};

using Graph = std::vector<Item>;

struct Stream {
	Graph *capture = nullptr;
	Stream *origin = nullptr; // the stream whose capture this one has joined; itself where it began there
	std::vector<Stream *> beside; // of an origin: those that have joined
	bool open = false;            // of one that has joined: its origin has not waited for its last work
	bool spoilt = false;
	std::vector<size_t> tips; // in a capture: the items that what comes next will wait for
	bool kernel_last = false; // nothing was put in since its last kernel, nor recorded, nor waited for
	order::Line line = order::fresh_line(), captured{0};
};

struct Event {
	std::chrono::steady_clock::time_point at;
	Stream *stream = nullptr; // in whose capture it was recorded last
	Graph *graph = nullptr;   // null: in none
	std::vector<size_t> tips; // that stream's
	order::Clock end, captured_end; // of the stream, and of it within the capture
};

thread_local int current;            // context: device + 1
thread_local Stream *capturing;      // of this thread
std::atomic<long long> launches;
std::atomic<bool> lost;
std::mutex guard;
std::map<uint64_t, size_t> memory;   // by address
std::map<void *, size_t> pinned;
std::multimap<size_t, uint64_t> pooled; // by size: freed memory that the pool keeps, where FAKE_CUDA_POOL is set; it is not free for others
size_t held;
struct Primary { int holds; unsigned flags; };
std::map<int, Primary> primary;      // contexts, by device
std::set<Stream *> streams;
std::set<Event *> events;

// Dynamic shared memory of a block, in bytes: what its kernel was allowed (cuFuncSetAttribute), or else 48 KiB less what the kernel
// declares, for which 16 KiB are taken here.
enum { most_shared = 163 << 10, usual_shared = 32 << 10 };
std::map<void *, int> dynamic_shared;

bool is_kernel(const void *f) {
	for (const emulator::Kernel *k = emulator::kernels; k; k = k->next)
		if (k == f)
			return true;
	return false;
}

unsigned allowed_shared(void *f) {
	std::lock_guard<std::mutex> l(guard);
	auto i = dynamic_shared.find(f);
	return i == dynamic_shared.end() ? (unsigned)usual_shared : (unsigned)i->second;
}

long long number(const char *name, long long otherwise) {
	const char *v = getenv(name);
	return v ? atoll(v) : otherwise;
}

size_t all_memory() { return (size_t)number("FAKE_CUDA_MEMORY", 8ll << 30); }

// usual is what most functions check: a context is current, and it is not lost.
int usual() { return lost ? illegal_address : current ? success : invalid_context; }

// waits is the check of what may not be done while this thread captures.
int waits() {
	if (capturing) {
		capturing->spoilt = true;
		return capture_unsupported;
	}
	return usual();
}

// perform does work that stands at a place.
void perform(const Work &w, const order::Where &at) {
	order::where = at;
	w();
	order::where = order::Where();
}

// put does work now, or records it where the stream is captured.
int put(void *stream, Work w, bool kernel = false, bool dependent = false) {
	if (int s = usual())
		return s;
	Stream *s = static_cast<Stream *>(stream);
	if (dependent && (!s || !s->kernel_last)) {
		fprintf(stderr, "emulator: a launch that may begin early does not follow on a kernel\n");
		return invalid_value;
	}
	if (s)
		s->kernel_last = kernel;
	if (s && s->capture) {
		s->capture->push_back({std::move(w), s, nullptr, s->tips, dependent, std::make_shared<order::Place>(s->captured.next())});
		s->tips = {s->capture->size() - 1};
		s->open = true;
	} else {
		static Stream usual;
		perform(w, {order::next((s ? s : &usual)->line), nullptr});
	}
	return lost ? illegal_address : success;
}

// replay does a graph's work. What one stream does beside another is done as early as it may be, or, in any other order of
// fibers than forward, as late: results that differ show that one of them uses what the other still needs.
void replay(const Graph &g, const order::Place &outer) {
	const uint32_t launch = order::graph_launch();
	const auto done = [&](const Item &i) { perform(i.work, {outer, i.place, launch}); };
	const char *order = getenv("EMULATOR_ORDER");
	const bool late = order && strcmp(order, "forward");
	std::map<Stream *, std::vector<const Item *>> waiting;
	for (const Item &i : g) {
		if (i.joined) {
			for (const Item *w : waiting[i.joined])
				done(*w);
			waiting[i.joined].clear();
		} else if (late && i.stream != g.front().stream) {
			waiting[i.stream].push_back(&i);
		} else {
			done(i);
		}
	}
}

// reach tells whether so many bytes from an address lie in memory of the device.
bool reach(uint64_t p, size_t bytes) {
	std::lock_guard<std::mutex> l(guard);
	auto i = memory.upper_bound(p);
	if (i == memory.begin())
		return false;
	--i;
	return p + bytes <= i->first + i->second;
}

bool is_pinned(const void *p) {
	std::lock_guard<std::mutex> l(guard);
	auto i = pinned.upper_bound(const_cast<void *>(p));
	if (i == pinned.begin())
		return false;
	--i;
	return p < static_cast<char *>(i->first) + i->second;
}

int allocate(uint64_t *p, size_t bytes) {
	std::lock_guard<std::mutex> l(guard);
	if (bytes == 0)
		return invalid_value;
	if (held + bytes > all_memory())
		return out_of_memory;
	void *m = races::allocate(bytes);
	if (!m)
		return out_of_memory;
	memset(m, 0xff, bytes); // what lies there is nobody's
	*p = reinterpret_cast<uint64_t>(m);
	memory[*p] = bytes;
	held += bytes;
	return success;
}

// made keeps a stream or an event in mind, destroyed frees it.
template <class T> T *made(std::set<T *> &all) {
	std::lock_guard<std::mutex> l(guard);
	return *all.insert(new T).first;
}

template <class T> int destroyed(std::set<T *> &all, void *p) {
	std::lock_guard<std::mutex> l(guard);
	if (!all.erase(static_cast<T *>(p)))
		return invalid_handle;
	delete static_cast<T *>(p);
	return success;
}

template <class T> void clear(std::set<T *> &all) {
	for (T *p : all)
		delete p;
	all.clear();
}

int give_back(uint64_t p) {
	std::lock_guard<std::mutex> l(guard);
	auto i = memory.find(p);
	if (i == memory.end())
		return invalid_value;
	held -= i->second;
	races::give_back(reinterpret_cast<void *>(p), i->second);
	memory.erase(i);
	return success;
}

void launch(const emulator::Kernel *k, uint3 grid, uint3 size, unsigned shared, const std::vector<char> &args) {
	if (lost)
		return;
	const char *lose = getenv("FAKE_CUDA_LOSE");
	if (++launches == number("FAKE_CUDA_LOSE", -1) || (lose && !strcmp(lose, "next"))) {
		lost = true;
		return;
	}
	races::Operation o(k->name);
	emulator::run(*k, grid, size, shared, args.data());
}

int capability() { return (int)number("FAKE_CUDA_CAPABILITY", 80); }

// Only one block of arguments is taken, of exactly the kernel's struct.
int put_kernel(void *f, uint3 grid, uint3 size, unsigned shared, void *stream, void **params, void **extra, bool dependent) {
	if (!is_kernel(f))
		return invalid_handle;
	auto *k = static_cast<const emulator::Kernel *>(f);
	if (params || !extra || extra[0] != reinterpret_cast<void *>(1) || extra[2] != reinterpret_cast<void *>(2))
		return invalid_value;
	size_t bytes = *static_cast<size_t *>(extra[3]);
	long long threads = (long long)size.x * size.y * size.z;
	if (bytes != k->args || threads < 1 || threads > k->threads || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 || grid.z > 65535 ||
	    shared > allowed_shared(f)) {
		fprintf(stderr, "emulator: kernel %s: %zu bytes of arguments (%zu), %lld threads (at most %d), grid %u %u %u, %u bytes shared (at most %u)\n",
		        k->name, bytes, k->args, threads, k->threads, grid.x, grid.y, grid.z, shared, allowed_shared(f));
		return invalid_value;
	}
	const char *a = static_cast<const char *>(extra[1]);
	std::vector<char> args(a, a + bytes);
	return put(stream, [=] { launch(k, grid, size, shared, args); }, true, dependent);
}

// What cuLaunchKernelEx takes.
struct Attribute {
	int id;
	alignas(8) int value[16];
};

struct Config {
	uint3 grid, size;
	unsigned shared;
	void *stream;
	const Attribute *attributes;
	unsigned count;
};

static_assert(sizeof(Attribute) == 72 && sizeof(Config) == 56);

// What cuGraphGetEdges tells of an edge.
struct Edge {
	unsigned char from_port, to_port, type, reserved[5];
};

void copy(const char *what, void *to, const void *from, size_t bytes) {
	races::Operation o(what);
	races::read(from, bytes, nullptr);
	races::write(to, bytes, nullptr);
	memcpy(to, from, bytes);
}

} // namespace

extern "C" {

int cuInit(unsigned flags) { return flags ? invalid_value : (int)number("FAKE_CUDA_INIT", 0); }
int cuDriverGetVersion(int *v) { return *v = 13000, success; }
int cuDeviceGetCount(int *n) { return *n = (int)number("FAKE_CUDA_COUNT", 1), success; }
int cuDeviceGet(int *d, int i) { return *d = i, success; }
int cuDeviceGetName(char *name, int size, int d) { return snprintf(name, size, "Emulated GPU %d", d), success; }
int cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = all_memory(), success; }
int cuDeviceGetAttribute(int *v, int attribute, int) {
	switch (attribute) {
	case 16: return *v = 4, success;             // multiprocessors
	case 75: return *v = capability() / 10, success;
	case 76: return *v = capability() % 10, success;
	case 97: return *v = most_shared, success;   // shared memory of a block
	}
	return invalid_value;
}

int cuDevicePrimaryCtxRetain(void **c, int d) {
	std::lock_guard<std::mutex> l(guard);
	primary[d].holds++;
	return *c = reinterpret_cast<void *>((uintptr_t)d + 1), success;
}
int cuDevicePrimaryCtxRelease_v2(int d) {
	std::lock_guard<std::mutex> l(guard);
	return primary[d].holds-- > 0 ? success : invalid_context;
}
int cuDevicePrimaryCtxGetState(int d, unsigned *flags, int *active) {
	std::lock_guard<std::mutex> l(guard);
	*flags = primary[d].flags;
	*active = primary[d].holds > 0;
	return success;
}
// Of the ways to wait (spin 1, yield 2, sleep 4) there may be one. Drivers before CUDA 11 refuse flags of a context that is there.
int cuDevicePrimaryCtxSetFlags_v2(int d, unsigned flags) {
	std::lock_guard<std::mutex> l(guard);
	if (primary[d].holds > 0)
		return context_active;
	const unsigned way = flags & 7;
	if (flags & ~0x1fu || (way & (way - 1)))
		return invalid_value;
	primary[d].flags = flags;
	return success;
}
int cuDevicePrimaryCtxReset_v2(int) {
	std::lock_guard<std::mutex> l(guard);
	for (auto &m : memory)
		races::give_back(reinterpret_cast<void *>(m.first), m.second);
	for (auto &m : pinned)
		free(m.first);
	for (auto &m : pooled)
		races::give_back(reinterpret_cast<void *>(m.second), m.first);
	pooled.clear();
	memory.clear();
	pinned.clear();
	clear(streams);
	clear(events);
	held = 0;
	lost = lost && getenv("FAKE_CUDA_STAYS_LOST");
	return success;
}
int cuCtxSetCurrent(void *c) { return current = (int)reinterpret_cast<uintptr_t>(c), success; }
int cuCtxSynchronize() {
	std::lock_guard<std::mutex> l(guard);
	for (Stream *s : streams)
		order::host_waits(s->line.end());
	return waits();
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
	std::lock_guard<std::mutex> l(guard);
	*total = all_memory();
	*free = *total > held ? *total - held : 0;
	return usual();
}
int cuMemAlloc_v2(uint64_t *p, size_t bytes) { int s = waits(); return s ? s : allocate(p, bytes); }
int cuMemFree_v2(uint64_t p) { int s = waits(); return s == success || s == illegal_address ? give_back(p) : s; }
// The pool gives a block again to who wants as many bytes.
int cuMemAllocAsync(uint64_t *p, size_t bytes, void *) {
	if (int s = waits())
		return s;
	std::unique_lock<std::mutex> l(guard);
	auto i = pooled.find(bytes);
	if (i == pooled.end()) {
		l.unlock();
		return allocate(p, bytes);
	}
	*p = i->second;
	memory[*p] = bytes;
	pooled.erase(i);
	memset(reinterpret_cast<void *>(*p), 0xff, bytes);
	return success;
}
int cuMemFreeAsync(uint64_t p, void *) {
	int s = waits();
	if (s != success && s != illegal_address)
		return s;
	if (!getenv("FAKE_CUDA_POOL"))
		return give_back(p);
	std::lock_guard<std::mutex> l(guard);
	auto i = memory.find(p);
	if (i == memory.end())
		return invalid_value;
	races::forget(reinterpret_cast<void *>(p), i->second);
	pooled.insert({i->second, p});
	memory.erase(i);
	return success;
}
int cuDeviceGetDefaultMemPool(void **pool, int) { return *pool = reinterpret_cast<void *>(1), success; }
int cuMemPoolSetAttribute(void *, int, void *) { return success; }
int cuMemPoolTrimTo(void *, size_t) {
	std::lock_guard<std::mutex> l(guard);
	for (auto &m : pooled) {
		held -= m.first;
		races::give_back(reinterpret_cast<void *>(m.second), m.first);
	}
	pooled.clear();
	return success;
}

int cuMemHostAlloc(void **p, size_t bytes, unsigned) {
	if (int s = waits())
		return s;
	*p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
	if (!*p)
		return out_of_memory;
	std::lock_guard<std::mutex> l(guard);
	pinned[*p] = bytes;
	return success;
}
int cuMemHostGetDevicePointer_v2(uint64_t *d, void *p, unsigned) { return *d = reinterpret_cast<uint64_t>(p), success; }
int cuMemFreeHost(void *p) {
	std::lock_guard<std::mutex> l(guard);
	if (!pinned.erase(p))
		return invalid_value;
	free(p);
	return success;
}

// A captured copy reads and writes host memory when it is launched: only pinned memory is sure to be there still.
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
	if (!reach(to, bytes) || (capturing && !is_pinned(from)))
		return invalid_value;
	return put(stream, [=] { copy("a copy to the device", reinterpret_cast<void *>(to), from, bytes); });
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
	if (!reach(from, bytes) || (capturing && !is_pinned(to)))
		return invalid_value;
	return put(stream, [=] { copy("a copy to the host", to, reinterpret_cast<void *>(from), bytes); });
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
	if (!reach(to, bytes) || !reach(from, bytes))
		return invalid_value;
	return put(stream, [=] { copy("a copy on the device", reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes); });
}
int cuMemsetD8Async(uint64_t to, unsigned char v, size_t bytes, void *stream) {
	if (!reach(to, bytes))
		return invalid_value;
	return put(stream, [=] {
		races::Operation o("a fill");
		races::write(reinterpret_cast<void *>(to), bytes, nullptr);
		memset(reinterpret_cast<void *>(to), v, bytes);
	});
}

int cuModuleLoadData(void **m, const void *) { int s = waits(); *m = reinterpret_cast<void *>(2); return s; }
int cuModuleUnload(void *) { return success; }
int cuModuleGetFunction(void **f, void *, const char *name) {
	for (emulator::Kernel *k = emulator::kernels; k; k = k->next)
		if (!strcmp(k->name, name))
			return *f = k, success;
	return not_found;
}
int cuFuncSetAttribute(void *f, int attribute, int v) {
	if (!is_kernel(f))
		return invalid_handle;
	if (attribute != 8 || v < 0 || v > most_shared)
		return invalid_value;
	std::lock_guard<std::mutex> l(guard);
	dynamic_shared[f] = v;
	return success;
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream,
                   void **params, void **extra) {
	return put_kernel(f, {gx, gy, gz}, {bx, by, bz}, shared, stream, params, extra, false);
}

// Of all attributes that there are it knows one: the kernel may begin before the one ahead of it in the stream has ended. A GPU's
// driver takes that anywhere; here it must follow on a kernel, directly.
int cuLaunchKernelEx(const Config *c, void *f, void **params, void **extra) {
	bool dependent = false;
	for (unsigned i = 0; i < c->count; i++) {
		if (c->attributes[i].id != 6 || capability() < 90)
			return invalid_value;
		dependent = c->attributes[i].value[0] != 0;
	}
	return put_kernel(f, c->grid, c->size, c->shared, c->stream, params, extra, dependent);
}

// 5: the compute capability of the PTX, 80 and 90 as in the fatbin.
int cuFuncGetAttribute(int *v, int attribute, void *f) {
	if (!is_kernel(f))
		return invalid_handle;
	return attribute == 5 ? (*v = capability() == 90 ? 90 : 80, success) : invalid_value;
}

// The function must not call the driver; here it runs where the stream's work is done, in the thread that puts it there.
int cuLaunchHostFunc(void *stream, void (*f)(void *), void *data) {
	if (!f)
		return invalid_value;
	return put(stream, [=] { f(data); });
}

// For stand-ins of other libraries: cuLaunchHostFunc with a user object. gone is called when the function has run, or, where it was
// captured, when the last graph that holds it is destroyed.
int emulatorLaunchHostFunc(void *stream, void (*f)(void *), void (*gone)(void *), void *data) {
	std::shared_ptr<void> held(data, gone);
	return put(stream, [=] { f(held.get()); });
}

int cuStreamCreate(void **s, unsigned) { int e = waits(); *s = made(streams); return e; }
int cuStreamDestroy_v2(void *s) { return destroyed(streams, s); }
int cuStreamSynchronize(void *s) {
	if (s)
		order::host_waits(static_cast<Stream *>(s)->line.end());
	return waits();
}
// A stream that waits for an event of a capture joins it; the stream whose capture it is must wait for it in turn.
int cuStreamWaitEvent(void *stream, void *event, unsigned) {
	auto *s = static_cast<Stream *>(stream);
	auto *e = static_cast<Event *>(event);
	if (s)
		s->kernel_last = false;
	if (!e->graph)
	if (!e->graph) {
		s->line.join(e->end);
		return s->capture ? capture_unsupported : usual();
	}
	if (!s->capture) {
		s->capture = e->graph;
		s->origin = e->stream->origin;
		s->open = true;
		s->origin->beside.push_back(s);
		s->tips.clear();
		s->captured = order::Line((uint32_t)s->origin->beside.size());
	} else if (s->capture != e->graph) {
		return capture_unsupported;
	} else if (e->stream != s && s->origin == s) {
		s->capture->push_back({nullptr, s, e->stream, {}, false, nullptr});
		e->stream->open = false;
	}
	for (size_t tip : e->tips)
		if (std::find(s->tips.begin(), s->tips.end(), tip) == s->tips.end())
			s->tips.push_back(tip);
	s->captured.join(e->captured_end);
	return usual();
}
int cuEventCreate(void **e, unsigned) { return *e = made(events), success; }
int cuEventDestroy_v2(void *e) { return destroyed(events, e); }
int cuEventRecord(void *event, void *stream) {
	auto *e = static_cast<Event *>(event);
	e->at = std::chrono::steady_clock::now();
	e->stream = static_cast<Stream *>(stream);
	e->graph = e->stream ? e->stream->capture : nullptr;
	if (e->stream) {
		e->tips = e->stream->tips;
		e->stream->kernel_last = false;
		e->end = e->stream->line.end();
		e->captured_end = e->stream->captured.end();
	}
	return usual();
}
int cuEventSynchronize(void *e) { order::host_waits(static_cast<Event *>(e)->end); return waits(); }
int cuEventQuery(void *e) { order::host_waits(static_cast<Event *>(e)->end); return usual(); }
int cuEventElapsedTime(float *ms, void *a, void *b) {
	*ms = std::chrono::duration<float, std::milli>(static_cast<Event *>(b)->at - static_cast<Event *>(a)->at).count();
	return usual();
}

int cuStreamBeginCapture_v2(void *stream, int) {
	auto *s = static_cast<Stream *>(stream);
	if (int e = waits())
		return e;
	s->capture = new Graph;
	s->origin = s;
	s->captured = order::Line(0);
	s->beside.clear();
	s->tips.clear();
	s->spoilt = s->kernel_last = false;
	capturing = s;
	return success;
}
int cuStreamEndCapture(void *stream, void **graph) {
	auto *s = static_cast<Stream *>(stream);
	*graph = nullptr;
	if (!s->capture || capturing != s)
		return capture_unmatched;
	capturing = nullptr;
	Graph *g = s->capture;
	s->capture = nullptr;
	s->kernel_last = false;
	int result = s->spoilt ? capture_invalidated : success;
	for (Stream *b : s->beside) {
		if (b->open)
			result = capture_unjoined;
		b->capture = nullptr;
		b->origin = nullptr;
	}
	if (result)
		delete g;
	else
		*graph = g;
	return result;
}
int cuStreamIsCapturing(void *stream, int *status) { return *status = static_cast<Stream *>(stream)->capture ? 1 : 0, usual(); }
int cuGraphGetNodes(void *graph, void **, size_t *n) {
	*n = 0;
	for (auto &i : *static_cast<Graph *>(graph))
		*n += !i.joined;
	return success;
}
// Every edge by its two items. They can be told without their kind only where all are ordinary.
int cuGraphGetEdges_v2(void *graph, void **from, void **to, Edge *data, size_t *n) {
	auto &g = *static_cast<Graph *>(graph);
	const size_t room = *n;
	*n = 0;
	for (Item &i : g)
		for (size_t before : i.after) {
			if (from && to && *n < room) {
				if (!data && i.dependent)
					return lossy_query;
				from[*n] = &g[before];
				to[*n] = &i;
				if (data)
					data[*n] = i.dependent ? Edge{1, 0, 1, {}} : Edge{};
			}
			++*n;
		}
	return success;
}
int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long) { return *exec = new Graph(*static_cast<Graph *>(graph)), success; }
int cuGraphLaunch(void *exec, void *stream) {
	auto *s = static_cast<Stream *>(stream);
	if (int e = usual())
		return e;
	if (s->capture)
		return capture_unsupported;
	s->kernel_last = false;
	replay(*static_cast<Graph *>(exec), order::next(s->line));
	return lost ? illegal_address : success;
}
int cuGraphDestroy(void *g) { delete static_cast<Graph *>(g); return success; }
int cuGraphExecDestroy(void *g) { delete static_cast<Graph *>(g); return success; }

} // extern "C"
