// What mapsweep asks of the NVIDIA Management Library. The library belongs to the driver and is opened when the
// program runs, so that it builds and starts on machines without one. Types and functions are those of NVML's
// documented interface, which is stable: a function that changed has a new name with _v2, _v3.
#ifndef MAPSWEEP_NVML_H
#define MAPSWEEP_NVML_H

typedef struct mapsweep_nvml_device *nvml_device;

typedef struct { unsigned long long total, free, used; } nvml_memory;
typedef struct { unsigned int gpu, memory; } nvml_utilisation;

// A process as of nvmlDeviceGetComputeRunningProcesses_v2 and _v3. used is all ones where it is not known.
typedef struct {
	unsigned int pid;
	unsigned long long used;
	unsigned int gpu_instance, compute_instance;
} nvml_process;

// Results are NVML's: 0 success, 7 array too small. Ours: -1 no library, -2 a function is missing in it.
int mapsweep_nvml_start(void);
const char *mapsweep_nvml_error(int result);
int mapsweep_nvml_count(unsigned int *count);
int mapsweep_nvml_open(unsigned int index, nvml_device *device);
int mapsweep_nvml_uuid(nvml_device device, char *text, unsigned int size);
int mapsweep_nvml_name(nvml_device device, char *text, unsigned int size);
int mapsweep_nvml_memory(nvml_device device, nvml_memory *memory);
int mapsweep_nvml_utilisation(nvml_device device, nvml_utilisation *use);
int mapsweep_nvml_processes(nvml_device device, unsigned int *count, nvml_process *list);

#endif
