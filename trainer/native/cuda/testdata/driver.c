// A stand-in for libcuda.so.1 with as many functions as listing devices takes. The environment sets what it says.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static int number(const char *name, int otherwise) {
	const char *value = getenv(name);
	return value ? atoi(value) : otherwise;
}

int cuInit(unsigned int flags) { return flags ? 1 : number("FAKE_CUDA_INIT", 0); }

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
