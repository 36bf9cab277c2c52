//go:build linux && cgo && (amd64 || arm64)

// cuDNN's functions by name, and the few things that are made of them.
#include "library.h"

// result, name, parameters: as cuDNN 9 declares them, with enums as int and handles as void *.
#define FUNCTIONS(F)                                                                                                       \
	F(size_t, cudnnGetVersion, (void))                                                                                     \
	F(const char *, cudnnGetErrorString, (int))                                                                            \
	F(int, cudnnCreate, (void **))                                                                                         \
	F(int, cudnnDestroy, (void *))                                                                                         \
	F(int, cudnnSetStream, (void *, void *))                                                                               \
	F(int, cudnnCreateTensorDescriptor, (void **))                                                                         \
	F(int, cudnnSetTensor4dDescriptorEx, (void *, int, int, int, int, int, int, int, int, int))                            \
	F(int, cudnnDestroyTensorDescriptor, (void *))                                                                         \
	F(int, cudnnCreateFilterDescriptor, (void **))                                                                         \
	F(int, cudnnSetFilter4dDescriptor, (void *, int, int, int, int, int, int))                                             \
	F(int, cudnnDestroyFilterDescriptor, (void *))                                                                         \
	F(int, cudnnCreateConvolutionDescriptor, (void **))                                                                    \
	F(int, cudnnSetConvolution2dDescriptor, (void *, int, int, int, int, int, int, int, int))                              \
	F(int, cudnnSetConvolutionMathType, (void *, int))                                                                     \
	F(int, cudnnSetConvolutionGroupCount, (void *, int))                                                                   \
	F(int, cudnnDestroyConvolutionDescriptor, (void *))                                                                    \
	F(int, cudnnGetConvolutionForwardAlgorithm_v7, (void *, void *, void *, void *, void *, int, int *, void *))           \
	F(int, cudnnGetConvolutionBackwardDataAlgorithm_v7, (void *, void *, void *, void *, void *, int, int *, void *))      \
	F(int, cudnnGetConvolutionBackwardFilterAlgorithm_v7, (void *, void *, void *, void *, void *, int, int *, void *))    \
	F(int, cudnnGetConvolutionForwardWorkspaceSize, (void *, void *, void *, void *, void *, int, size_t *))               \
	F(int, cudnnGetConvolutionBackwardDataWorkspaceSize, (void *, void *, void *, void *, void *, int, size_t *))          \
	F(int, cudnnGetConvolutionBackwardFilterWorkspaceSize, (void *, void *, void *, void *, void *, int, size_t *))        \
	F(int, cudnnConvolutionForward,                                                                                        \
		(void *, const void *, void *, void *, void *, void *, void *, int, void *, size_t, const void *, void *, void *)) \
	F(int, cudnnConvolutionBackwardData,                                                                                   \
		(void *, const void *, void *, void *, void *, void *, void *, int, void *, size_t, const void *, void *, void *)) \
	F(int, cudnnConvolutionBackwardFilter,                                                                                 \
		(void *, const void *, void *, void *, void *, void *, void *, int, void *, size_t, const void *, void *, void *))

struct mapsweep_cudnn {
#define FIELD(result, name, parameters) result(*name) parameters;
	FUNCTIONS(FIELD)
};

#define NAME(result, name, parameters) #name,
const char *const mapsweep_cudnn_names[] = {FUNCTIONS(NAME) NULL};

enum { // cuDNN's numbers: .ci/cuda-headers.sh holds each against the name beside it
	FLOAT = 0,             // CUDNN_DATA_FLOAT
	BFLOAT16 = 9,          // CUDNN_DATA_BFLOAT16
	NHWC = 1,              // CUDNN_TENSOR_NHWC
	CROSS_CORRELATION = 1, // CUDNN_CROSS_CORRELATION
	TENSOR_OP_MATH = 1,    // CUDNN_TENSOR_OP_MATH
	FMA_MATH = 3,          // CUDNN_FMA_MATH
};

size_t mapsweep_cudnn_version(const struct mapsweep_cudnn *l) { return l->cudnnGetVersion(); }
const char *mapsweep_cudnn_words(const struct mapsweep_cudnn *l, int status) { return l->cudnnGetErrorString(status); }

int mapsweep_cudnn_handle(const struct mapsweep_cudnn *l, uintptr_t stream, void **handle) {
	int status = l->cudnnCreate(handle);
	if (!status && (status = l->cudnnSetStream(*handle, (void *)stream))) l->cudnnDestroy(*handle);
	return status;
}

int mapsweep_cudnn_turn(const struct mapsweep_cudnn *l, void *handle, uintptr_t stream) { return l->cudnnSetStream(handle, (void *)stream); }
int mapsweep_cudnn_end(const struct mapsweep_cudnn *l, void *handle) { return l->cudnnDestroy(handle); }

static int describe(const struct mapsweep_cudnn *l, const struct mapsweep_cudnn_shape *s, struct mapsweep_cudnn_plan *p) {
	int status, type = s->bf16 ? BFLOAT16 : FLOAT;
	p->math = p->usual = s->bf16 ? TENSOR_OP_MATH : FMA_MATH; // floats at full precision, without TF32
	if ((status = l->cudnnCreateTensorDescriptor(&p->x))) return status;
	if ((status = l->cudnnCreateTensorDescriptor(&p->y))) return status;
	if ((status = l->cudnnCreateFilterDescriptor(&p->w))) return status;
	if ((status = l->cudnnCreateConvolutionDescriptor(&p->convolution))) return status;
	if ((status = l->cudnnSetTensor4dDescriptorEx(
			 p->x, type, s->n, s->c, s->h, s->w, s->h * s->w * s->stride, 1, s->w * s->stride, s->stride)))
		return status;
	if ((status = l->cudnnSetTensor4dDescriptorEx(p->y, type, s->n, s->out_c, s->out_h, s->out_w,
			 s->out_h * s->out_w * s->out_stride, 1, s->out_w * s->out_stride, s->out_stride)))
		return status;
	if ((status = l->cudnnSetFilter4dDescriptor(p->w, type, NHWC, s->out_c, s->c / s->groups, s->size, s->size))) return status;
	if ((status = l->cudnnSetConvolution2dDescriptor(
			 p->convolution, s->pad, s->pad, s->step, s->step, 1, 1, CROSS_CORRELATION, FLOAT)))
		return status;
	if ((status = l->cudnnSetConvolutionGroupCount(p->convolution, s->groups))) return status;
	return l->cudnnSetConvolutionMathType(p->convolution, p->math);
}

int mapsweep_cudnn_plan(const struct mapsweep_cudnn *l, const struct mapsweep_cudnn_shape *shape, struct mapsweep_cudnn_plan *plan) {
	int status = describe(l, shape, plan);
	if (status) mapsweep_cudnn_forget(l, plan);
	return status;
}

void mapsweep_cudnn_forget(const struct mapsweep_cudnn *l, struct mapsweep_cudnn_plan *p) {
	if (p->x) l->cudnnDestroyTensorDescriptor(p->x);
	if (p->y) l->cudnnDestroyTensorDescriptor(p->y);
	if (p->w) l->cudnnDestroyFilterDescriptor(p->w);
	if (p->convolution) l->cudnnDestroyConvolutionDescriptor(p->convolution);
	*p = (struct mapsweep_cudnn_plan){0};
}

// set_math has the convolution computed with that kind of arithmetic from here on; lists and workspaces depend on it too.
static int set_math(const struct mapsweep_cudnn *l, struct mapsweep_cudnn_plan *p, int math) {
	int status = math == p->math ? 0 : l->cudnnSetConvolutionMathType(p->convolution, math);
	if (!status) p->math = math;
	return status;
}

int mapsweep_cudnn_algorithms(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *p, int direction,
	struct mapsweep_cudnn_algorithm *found, int *count) {
	int wanted = *count, status = set_math(l, p, p->usual);
	if (status) return status;
	switch (direction) {
	case MAPSWEEP_CUDNN_FORWARD:
		return l->cudnnGetConvolutionForwardAlgorithm_v7(handle, p->x, p->w, p->convolution, p->y, wanted, count, found);
	case MAPSWEEP_CUDNN_DATA:
		return l->cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, p->w, p->y, p->convolution, p->x, wanted, count, found);
	default:
		return l->cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, p->x, p->y, p->convolution, p->w, wanted, count, found);
	}
}

int mapsweep_cudnn_bytes(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *p, int direction, int algorithm,
	int math, size_t *bytes) {
	int status = set_math(l, p, math);
	if (status) return status;
	switch (direction) {
	case MAPSWEEP_CUDNN_FORWARD:
		return l->cudnnGetConvolutionForwardWorkspaceSize(handle, p->x, p->w, p->convolution, p->y, algorithm, bytes);
	case MAPSWEEP_CUDNN_DATA:
		return l->cudnnGetConvolutionBackwardDataWorkspaceSize(handle, p->w, p->y, p->convolution, p->x, algorithm, bytes);
	default:
		return l->cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, p->x, p->y, p->convolution, p->w, algorithm, bytes);
	}
}

int mapsweep_cudnn_run(const struct mapsweep_cudnn *l, void *handle, struct mapsweep_cudnn_plan *p, int direction, int algorithm,
	int math, uintptr_t x, uintptr_t w, uintptr_t y, uintptr_t workspace, size_t bytes, float keep) {
	const float one = 1;
	void *px = (void *)x, *pw = (void *)w, *py = (void *)y, *room = (void *)workspace;
	int status = set_math(l, p, math);
	if (status) return status;
	switch (direction) {
	case MAPSWEEP_CUDNN_FORWARD:
		return l->cudnnConvolutionForward(handle, &one, p->x, px, p->w, pw, p->convolution, algorithm, room, bytes, &keep, p->y, py);
	case MAPSWEEP_CUDNN_DATA:
		return l->cudnnConvolutionBackwardData(
			handle, &one, p->w, pw, p->y, py, p->convolution, algorithm, room, bytes, &keep, p->x, px);
	default:
		return l->cudnnConvolutionBackwardFilter(
			handle, &one, p->x, px, p->y, py, p->convolution, algorithm, room, bytes, &keep, p->w, pw);
	}
}
