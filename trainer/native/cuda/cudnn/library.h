// cuDNN 9 as this package uses it: functions found at run time, all handles and descriptors pointers. Shapes are of N images, H x W
// pixels, C channels, stored NHWC.
#include <stddef.h>
#include <stdint.h>

struct mapsweep_cudnn; // the library's functions
extern const char *const mapsweep_cudnn_names[]; // in that order, and a null

// A convolution: y (n, out_h, out_w, out_c) = x (n, h, w, c) by w (out_c, size, size, c / groups). A stride is the number of
// elements from one pixel to the next.
struct mapsweep_cudnn_shape {
	int bf16; // else float
	int n, h, w, c, stride;
	int out_h, out_w, out_c, out_stride;
	int size, step, pad, groups;
};

// What cuDNN reports of an algorithm (cudnnConvolutionFwdAlgoPerf_t and its two siblings, which are laid out alike).
struct mapsweep_cudnn_algorithm {
	int algorithm, status;
	float time;
	size_t memory; // bytes of workspace
	int deterministic, math, reserved[3];
};

enum { MAPSWEEP_CUDNN_FORWARD, MAPSWEEP_CUDNN_DATA, MAPSWEEP_CUDNN_FILTER };

size_t mapsweep_cudnn_version(const struct mapsweep_cudnn *l);
const char *mapsweep_cudnn_words(const struct mapsweep_cudnn *l, int status);

// The rest return cuDNN's status, 0 for success, and want a thread on which the device's context is current.
int mapsweep_cudnn_handle(const struct mapsweep_cudnn *l, uintptr_t stream, void **handle);
int mapsweep_cudnn_turn(const struct mapsweep_cudnn *l, void *handle, uintptr_t stream); // to another stream
int mapsweep_cudnn_end(const struct mapsweep_cudnn *l, void *handle);

struct mapsweep_cudnn_plan {
	void *x, *w, *y, *convolution; // descriptors
	int math, usual; // cudnnMathType_t that is set, and that of the precision
};
int mapsweep_cudnn_plan(const struct mapsweep_cudnn *l, const struct mapsweep_cudnn_shape *shape, struct mapsweep_cudnn_plan *plan);
void mapsweep_cudnn_forget(const struct mapsweep_cudnn *l, struct mapsweep_cudnn_plan *plan);

// mapsweep_cudnn_algorithms writes up to *count algorithms, likely the fastest first, and how many there were to *count.
int mapsweep_cudnn_algorithms(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *plan, int direction,
	struct mapsweep_cudnn_algorithm *found, int *count);

// mapsweep_cudnn_bytes is how much workspace an algorithm takes.
int mapsweep_cudnn_bytes(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *plan, int direction, int algorithm,
	int math, size_t *bytes);

// mapsweep_cudnn_run makes y of x and w, x (its gradient) of w and y's, or w's of x and y's. What was there counts keep times.
int mapsweep_cudnn_run(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *plan, int direction, int algorithm,
	int math, uintptr_t x, uintptr_t w, uintptr_t y, uintptr_t workspace, size_t bytes, float keep);
