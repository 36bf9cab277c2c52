// A stand-in for libcuda.so.1 with as many functions as listing devices and launching kernels takes. The environment sets what it
// says. Its kernels do nothing, but have shared memory of their own, so that the driver's limits matter.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number(const char *name, int otherwise) {
	const char *value = getenv(name);
	return value ? atoi(value) : otherwise;
}

// FAKE_CUDA_QUEUES: how many queues for streams the driver must have been told to make.
int cuInit(unsigned int flags) {
	int queues = number("CUDA_DEVICE_MAX_CONNECTIONS", 8);
	return flags || queues != number("FAKE_CUDA_QUEUES", queues) ? 1 : number("FAKE_CUDA_INIT", 0);
}

int cuDriverGetVersion(int *version) {
	*version = 12080;
	return 0;
}

int cuDeviceGetCount(int *count) {
	*count = number("FAKE_CUDA_COUNT", 1);
	return 0;
}

int cuDeviceGetName(char *name, int size, int device) {
	snprintf(name, size, "Paper GPU %d", device);
	return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
	*bytes = (size_t)(device + 1) << 33;
	return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
	*value = attribute == 75 ? 9 : attribute == 76 ? device : -1; // compute capability, major and minor
	return 0;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
	*context = (void *)(size_t)(device + 1);
	return 0;
}

int cuDevicePrimaryCtxRelease_v2(int device) { return device != 0; }
int cuCtxSetCurrent(void *context) { return context == NULL; }

int cuStreamCreate(void **stream, unsigned int flags) {
	*stream = (void *)(size_t)(flags + 1);
	return 0;
}

int cuStreamSynchronize(void *stream) { return stream == NULL; }
int cuStreamDestroy_v2(void *stream) { return stream == NULL; }

// FAKE_CUDA_LOAD: the result of loading a module.
int cuModuleLoadData(void **module, const void *image) {
	*module = (void *)image;
	return number("FAKE_CUDA_LOAD", 0);
}

int cuModuleUnload(void *module) { return module == NULL; }

// A kernel must be loaded. It declares 3712 bytes of shared memory, and blocks ask for more: up to 48 KiB together, or as much as
// was allowed, which is 227 KiB together at most (sm_90).
enum { declared = 3712, usual = 48 << 10, most = 227 << 10 };
static int allowed = usual - declared, loaded;

int cuModuleGetFunctionCount(unsigned *count, void *module) {
	*count = 1;
	return module == NULL;
}

int cuModuleEnumerateFunctions(void **functions, unsigned count, void *module) {
	functions[0] = &allowed;
	return count != 1 || module == NULL;
}

// FAKE_CUDA_FUNCTION: the result of loading a kernel.
int cuFuncLoad(void *function) {
	loaded = function == &allowed;
	return number("FAKE_CUDA_FUNCTION", !loaded);
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
	*function = &allowed;
	return module == NULL ? 1 : strcmp(name, "kernel") ? 500 : 0;
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
	if (function != &allowed || attribute != 8 || value + declared > most)
		return 1;
	allowed = value;
	return 0;
}

int cuLaunchKernel(void *function, unsigned int x, unsigned int y, unsigned int z, unsigned int threads_x, unsigned int threads_y, unsigned int threads_z,
                   unsigned int shared, void *stream, void **parameters, void **extra) {
	return function != &allowed || !loaded || !x || !y || !z || !threads_x || !threads_y || !threads_z || !stream || parameters || !extra || (int)shared > allowed;
}
