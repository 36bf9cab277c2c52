//go:build linux && cgo

#include "nvml.h"

#include <dlfcn.h>
#include <stddef.h>

static void *library;

static int (*get_count)(unsigned int *);
static int (*get_handle)(unsigned int, nvml_device *);
static int (*get_uuid)(nvml_device, char *, unsigned int);
static int (*get_name)(nvml_device, char *, unsigned int);
static int (*get_memory)(nvml_device, nvml_memory *);
static int (*get_utilisation)(nvml_device, nvml_utilisation *);
static int (*get_processes)(nvml_device, unsigned int *, nvml_process *);
static const char *(*error_string)(int);

int mapsweep_nvml_start(void) {
	library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return -1;
	int (*init)(void) = (int (*)(void))dlsym(library, "nvmlInit_v2");
	*(void **)&error_string = dlsym(library, "nvmlErrorString");
	*(void **)&get_count = dlsym(library, "nvmlDeviceGetCount_v2");
	*(void **)&get_handle = dlsym(library, "nvmlDeviceGetHandleByIndex_v2");
	*(void **)&get_uuid = dlsym(library, "nvmlDeviceGetUUID");
	*(void **)&get_name = dlsym(library, "nvmlDeviceGetName");
	*(void **)&get_memory = dlsym(library, "nvmlDeviceGetMemoryInfo");
	*(void **)&get_utilisation = dlsym(library, "nvmlDeviceGetUtilizationRates");
	*(void **)&get_processes = dlsym(library, "nvmlDeviceGetComputeRunningProcesses_v3");
	if (get_processes == NULL) // drivers before 510
		*(void **)&get_processes = dlsym(library, "nvmlDeviceGetComputeRunningProcesses_v2");
	if (!init || !error_string || !get_count || !get_handle || !get_uuid || !get_name || !get_memory)
		return -2;
	return init();
}

const char *mapsweep_nvml_error(int result) { return error_string ? error_string(result) : "unknown error"; }

int mapsweep_nvml_count(unsigned int *count) { return get_count(count); }
int mapsweep_nvml_open(unsigned int index, nvml_device *device) { return get_handle(index, device); }
int mapsweep_nvml_uuid(nvml_device d, char *text, unsigned int size) { return get_uuid(d, text, size); }
int mapsweep_nvml_name(nvml_device d, char *text, unsigned int size) { return get_name(d, text, size); }
int mapsweep_nvml_memory(nvml_device d, nvml_memory *memory) { return get_memory(d, memory); }

int mapsweep_nvml_utilisation(nvml_device d, nvml_utilisation *use) {
	return get_utilisation ? get_utilisation(d, use) : -2;
}

int mapsweep_nvml_processes(nvml_device d, unsigned int *count, nvml_process *list) {
	return get_processes ? get_processes(d, count, list) : -2;
}
