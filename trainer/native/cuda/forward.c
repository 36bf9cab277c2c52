//go:build linux && cgo && (amd64 || arm64)

// The CUDA driver's functions, as many as gorgonia.org/cu calls, defined here and forwarded to libcuda.so.1.
//
// The driver's library cannot be linked: a binary that names it does not start where it is absent. So each function of
// the list in cuda.h is a jump through a slot. Until the driver is loaded, and for what it lacks, the slot leads to a
// function that returns an error. All symbols are hidden: libraries that are loaded later (the driver's own among
// them) must find the true functions and not these.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "cuda.h"
#include "forward.h"

#define HIDDEN __attribute__((visibility("hidden")))

static CUresult no_device(void) { return CUDA_ERROR_NO_DEVICE; }         // no driver
static CUresult not_supported(void) { return CUDA_ERROR_NOT_SUPPORTED; } // a driver without this function

// One slot for each function.
#define SLOT(name, symbol, parameters) HIDDEN __attribute__((used)) void *mapsweep_slot_##symbol = (void *)no_device;
MAPSWEEP_CUDA_FUNCTIONS(SLOT)

// One jump for each function. It keeps every argument register as it is, so it needs to know no parameters.
#if defined(__x86_64__)
#define JUMP(name, symbol, parameters)                                                                     \
	__asm__(".text\n.globl " #symbol "\n.hidden " #symbol "\n.type " #symbol ", @function\n" #symbol ":\n" \
	        "\tendbr64\n"                                                                                  \
	        "\tjmp *mapsweep_slot_" #symbol "(%rip)\n"                                                     \
	        ".size " #symbol ", . - " #symbol "\n");
#elif defined(__aarch64__)
#define JUMP(name, symbol, parameters)                                                                     \
	__asm__(".text\n.globl " #symbol "\n.hidden " #symbol "\n.type " #symbol ", %function\n" #symbol ":\n" \
	        "\tbti c\n"                                                                                    \
	        "\tadrp x16, mapsweep_slot_" #symbol "\n"                                                      \
	        "\tldr x16, [x16, :lo12:mapsweep_slot_" #symbol "]\n"                                          \
	        "\tbr x16\n"                                                                                   \
	        ".size " #symbol ", . - " #symbol "\n");
#endif
MAPSWEEP_CUDA_FUNCTIONS(JUMP)

static const struct {
	const char *symbol;
	void **slot;
} slots[] = {
#define ENTRY(name, symbol, parameters) {#symbol, &mapsweep_slot_##symbol},
	MAPSWEEP_CUDA_FUNCTIONS(ENTRY)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;
static char reason[512];
static CUresult status = CUDA_ERROR_NO_DEVICE;
static CUresult (*count_devices)(int *), (*get_version)(int *);

static void load(void) {
	// Trials that share a GPU have a stream each. The driver has 8 queues for all streams unless told, and streams of one queue wait
	// for each other; 32 is the most.
	setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
	const char *path = getenv("MAPSWEEP_CUDA_DRIVER");
	library = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		const char *why = dlerror();
		snprintf(reason, sizeof reason, "%s", why ? why : "libcuda.so.1 cannot be opened");
		return;
	}
	CUresult (*init)(unsigned int) = (CUresult(*)(unsigned int))dlsym(library, "cuInit");
	count_devices = (CUresult(*)(int *))dlsym(library, "cuDeviceGetCount");
	get_version = (CUresult(*)(int *))dlsym(library, "cuDriverGetVersion");
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		void *function = dlsym(library, slots[i].symbol);
		*slots[i].slot = function ? function : (void *)not_supported;
	}
	status = init ? init(0) : CUDA_ERROR_NOT_SUPPORTED;
}

// cu calls this when the process starts and ends the process where it fails; so it never does. The driver is loaded when
// somebody asks for devices: most commands have no use for one, and its start takes a while.
HIDDEN CUresult cuInit(unsigned int flags) {
	(void)flags;
	return CUDA_SUCCESS;
}

HIDDEN CUresult cuDeviceGetCount(int *count) {
	pthread_once(&once, load);
	*count = 0;
	return status == CUDA_SUCCESS && count_devices ? count_devices(count) : CUDA_SUCCESS;
}

HIDDEN CUresult cuDriverGetVersion(int *version) {
	pthread_once(&once, load);
	*version = 0;
	return get_version ? get_version(version) : CUDA_SUCCESS;
}

HIDDEN int mapsweep_cuda_loaded(void) {
	pthread_once(&once, load);
	return library != NULL;
}

HIDDEN int mapsweep_cuda_status(void) {
	pthread_once(&once, load);
	return status;
}

HIDDEN const char *mapsweep_cuda_reason(void) {
	pthread_once(&once, load);
	return reason;
}

HIDDEN const char *mapsweep_cuda_forwarded(size_t i) {
	return i < sizeof slots / sizeof *slots ? slots[i].symbol : NULL;
}

HIDDEN void *mapsweep_cuda_symbol(const char *name) {
	pthread_once(&once, load);
	return library ? dlsym(library, name) : NULL;
}
