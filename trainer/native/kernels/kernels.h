// Legend, for every C file of this package:
//   N  images of a batch            C   channels, always in blocks of 16 ("CB" blocks)
//   H  rows, W pixels of a row      IC, OC  input and output channels; ICB, OCB the same in blocks
//   K  kernel size (1 or 3)         S   stride (1 or 2)
//
// Block layout ("nChw16c with a halo of 1"): a buffer holds [N][TCB][H+2][W+2][PS] float32. The innermost PS = 16
// floats are 16 neighbouring channels of one pixel; channel c of a tensor is lane c%16 of block c/16. Around each
// plane lies a border of one pixel, the halo, which is zero and which no kernel ever writes: it is the zero padding
// of the 3x3 convolutions. Lanes that hold no channel ("padding lanes": after the last one, or between joined tensors whose
// depth is no multiple of 16) are zero in data, weights and gradients; every kernel keeps them so. The input image alone has PS = 4: red, green, blue and an unused zero.
// A view is a window of CB channel blocks in such a buffer; concatenation is therefore a matter of addresses.
//
// Weights: [OCB][ICB][K][K][16 input lanes][16 output lanes]; for the image only input lanes 0..2 are used.
#ifndef MAPSWEEP_KERNELS_H
#define MAPSWEEP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "team.h"

#define MS_LANES 16 // channels of a block

struct ms_bf16;

struct ms_view {
	float *p; // first float of the first block's plane, halo included
	int n, cb, tcb, h, w, ps;
	struct ms_team *team; // that kernels on the view use; NULL: the calling thread alone
};

// One convolution layer. All pointers stay valid for its life; nothing in here is allocated by the kernels.
struct ms_conv {
	int k, s;         // kernel size, stride
	int image;        // x is an image (PS 4, three channels)
	int bn;           // 1: y = conv(x), a = silu(bn(y)).  0: a plain convolution with bias, y only
	int linear;       // with bn: a = bn(y)
	int has_dx;       // backward also makes dx
	int acc_dx;       // dx is added to, not written
	int acc_w;        // parameter gradients are added to, not written
	int group;        // backward makes dy of so many images before they enter the gradient of the weights
	int da_room;      // images that da has room for: image n's is at n % da_room
	int icb, ocb;     // channel blocks
	uint8_t *ihalves, *ohalves; // [ICB], [OCB] 1: only the lower 8 lanes of the block hold channels; 2: others do too
	struct ms_view x, dx, y, a, da; // da: gradient of a (of y without bn); backward destroys it
	float *w, *dw;
	float *gamma, *beta, *dgamma, *dbeta; // [OCB*16]; without bn beta and dbeta are the bias and its gradient
	float *mean, *var;                    // [OCB*16] running statistics
	float momentum, eps;
	// Scratch of the layer.
	float *wt;            // weights turned for dx, as many floats as w
	double *sums;         // [N][OCB][2][16] sum and second sum of each image
	double *totals;       // [OCB][2][16] the same over the batch
	float *scale, *shift; // [OCB*16] bn as z = y*scale + shift
	float *mu, *rstd;     // [OCB*16] mean and 1/sqrt(var+eps) that scale and shift were made from
	float *g1, *g2, *g3;  // [OCB*16] bn backward as dy = dz*g1 + y*g2 + g3
	float *real;          // [OCB*16] 1: an output channel; 0: a padding lane
	// Training with operands in bfloat16 (bf16.h). bf is NULL without; wt is then in use and these are not.
	const struct ms_bf16 *bf;
	uint32_t *wb, *wtb; // weights and turned weights, half as many words as w has floats
	// Training and evaluation in Winograd's form (winograd.h). Which directions use it: MS_WINOGRAD_FORWARD and so on; a pass in
	// bfloat16 uses none.
	int winograd;
	float *wu, *wtu; // [16][OCB][ICB][16][16] weights, [16][ICB][OCB][16][16] turned weights, transformed
	float *du;       // [16][OCB][ICB][16][16] transformed gradient of the weights, summed over the batch
	// wu, of the forward pass, lies in the same place as wtu and du, of the backward pass.
	// Of both: scratch that other layers share, room_words (a multiple of 16) for each member of the team, see ms_bf16_room; or, in
	// the backward pass with bfloat16, slot_words for each image of a group, see ms_bf16_slot.
	uint32_t *room;
	int64_t room_words, slot_words;
};

// Bits of ms_conv.winograd.
#define MS_WINOGRAD_FORWARD 1
#define MS_WINOGRAD_DX 2
#define MS_WINOGRAD_DW 4
#define MS_WINOGRAD_DW_TILES 128

// The parts of a convolution with operands in bfloat16 (bf16.h), once per instruction set. Blocks and tiles are those from first
// to last-1. part of parts: a share of an image as conv.h cuts it.
struct ms_bf16 {
	const char *name;
	void (*pack)(const struct ms_conv *, int first, int last); // w -> wb, output blocks
	void (*turn)(const struct ms_conv *, int first, int last); // w -> wtb, output blocks
	// Image n of y, with its sums. room is that of one thread; with known it has the rounded image already.
	void (*convolve)(const struct ms_conv *, int n, int part, int parts, uint32_t *room, int known);
	void (*dy)(const struct ms_conv *, int n, int first, int last);   // dz of image n in da -> rounded dy in its slot, output blocks
	void (*pair)(const struct ms_conv *, int n, int first, int last); // x of image n -> its slot, input blocks
	int (*weight_tiles)(const struct ms_conv *);                      // tiles of dw, as those of conv.h
	// Adds image n to tiles of dw; of is the layer, of the same x, that has paired x.
	void (*weight_backward)(const struct ms_conv *, const struct ms_conv *of, int n, int first, int last);
	void (*input_backward)(const struct ms_conv *, int n, int part, int parts); // image n of dx
};

// One convolution of inference: y = f(conv(x) + bias) + add, f SiLU where active.
struct ms_fused {
	int k, s, image;       // as in ms_conv
	int active;
	int icb, ocb;          // channel blocks
	struct ms_view x, y;
	struct ms_view add;    // as y; p NULL: nothing is added
	const float *w, *bias; // bias [OCB*16]
	const uint8_t *ihalves, *ohalves;
	int winograd;          // w is transformed, [16][OCB][ICB][16][16]
	float *room;           // then, scratch of each member of the team: room_floats, a multiple of 16
	int64_t room_floats;
};

// The numbers of one step of Adam or AdamW (optim.h); those that a step needs only in combination are combined by the caller.
struct ms_adamw {
	float keep;            // 1 - learning rate * decay
	float rate;            // learning rate / (1 - beta1^t)
	float fresh1;          // 1 - beta1
	float beta2, fresh2;   // and 1 - beta2
	float root2;           // sqrt(1 - beta2^t)
	float epsilon, gscale; // the gradient is multiplied by gscale first
	float l2;              // and l2 times the weight is added to it
};

// The numbers of one step of LION.
struct ms_lion {
	float keep, rate;     // 1 - learning rate * decay; learning rate
	float fresh1, fresh2; // 1 - beta1, 1 - beta2
	float gscale;         // as above
};

// Every kernel once per instruction set. All are pure functions of their arguments.
struct ms_kernels {
	const char *name;
	const struct ms_bf16 *bf; // without instructions for it
	void (*conv_forward)(const struct ms_conv *, int train);
	void (*conv_backward)(const struct ms_conv *);
	void (*rep_forward)(const struct ms_conv *wide, const struct ms_conv *point, int train);
	void (*rep_backward)(const struct ms_conv *wide, const struct ms_conv *point);
	void (*fused_forward)(const struct ms_fused *, int images);
	void (*winograd_transform)(const float *w, float *u, int64_t pairs); // weights of so many pairs of channel blocks
	void (*pool_only)(struct ms_view x, struct ms_view y);
	void (*pool_down_only)(struct ms_view x, struct ms_view y);
	void (*copy)(struct ms_view src, struct ms_view dst, int acc);
	void (*zero)(struct ms_view dst);
	void (*add)(struct ms_view a, struct ms_view b, struct ms_view dst);
	void (*upsample_forward)(struct ms_view x, struct ms_view y);
	void (*upsample_backward)(struct ms_view dy, struct ms_view dx, int acc);
	void (*pool_forward)(struct ms_view x, struct ms_view y, uint8_t *index);
	void (*pool_backward)(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc);
	void (*pool_down_forward)(struct ms_view x, struct ms_view y, uint8_t *index);
	void (*pool_down_backward)(struct ms_view dy, struct ms_view dx, const uint8_t *index, int acc);
	void (*mean_forward)(struct ms_view x, struct ms_view y);
	void (*mean_backward)(struct ms_view dy, struct ms_view dx, int acc);
	void (*resize_forward)(struct ms_view x, struct ms_view y, int acc);
	void (*resize_backward)(struct ms_view dy, struct ms_view dx, int acc);
	void (*regroup)(struct ms_view src, const int32_t *from, struct ms_view dst, const int32_t *to, int count, int acc);
	void (*unpack)(struct ms_view src, float *dst, int64_t image_floats, int pixel_floats, int channels);
	void (*pack)(const float *src, int64_t image_floats, int pixel_floats, int channels, struct ms_view dst);
	void (*sgd)(float *w, const float *g, float *m, int64_t n, float rate, float momentum, float decay, float gscale);
	void (*lerp)(float *dst, const float *src, int64_t n, float t);
	void (*scale)(float *p, int64_t n, float f);
	double (*sum_squares)(const float *p, int64_t n);
	void (*adamw)(float *w, const float *g, float *m, float *v, float *peak, int64_t n, const struct ms_adamw *s);
	void (*lion)(float *w, const float *g, float *m, int64_t n, const struct ms_lion *s);
	void (*accumulate)(float *dst, const float *src, int64_t n);
};

extern const struct ms_kernels ms_kernels_generic;
#if defined(__x86_64__)
extern const struct ms_kernels ms_kernels_avx2, ms_kernels_avx512;
extern const struct ms_bf16 ms_bf16_avx512; // needs AVX512_BF16
#endif

// Common to all instruction sets (common.c).
float *ms_alloc(int64_t floats);
double ms_thread_seconds(void);
const struct ms_kernels *ms_find(const char *name); // NULL: not in this build, or not on this processor
void ms_zero_halo(struct ms_view dst);
const struct ms_bf16 *ms_bf16_of(const struct ms_kernels *k); // by instructions of the processor where it has them, or else k's
int64_t ms_bf16_room(const struct ms_conv *c);     // words of room of a thread, with operands in bfloat16
int64_t ms_bf16_slot(const struct ms_conv *c, int64_t *dy, int64_t *x);
int64_t ms_winograd_room(const struct ms_conv *c); // and in Winograd's form
int ms_winograd_tiles(int icb);                    // of a group, for so many blocks of input
int64_t ms_winograd_input(int icb);                // floats that its transformed input takes
int64_t ms_winograd_group(int icb);                // and that with its products
int ms_winograd_images(int h, int w, int icb);     // images of h x w pixels that fill a group
int ms_winograd_dw_tiles(int ocb);      // that the gradient of the weights transforms at once, at most MS_WINOGRAD_DW_TILES
int64_t ms_winograd_dw_plane(int ocb);  // floats of one position of theirs in one channel block
void ms_pack_images(const float *rgb, struct ms_view dst, int count); // into the first images of dst
void ms_bn_forward(const struct ms_conv *c, int train); // totals -> scale, shift; running statistics when training
void ms_bn_backward(const struct ms_conv *c);           // totals -> dgamma, dbeta, g1, g2, g3
void ms_bias_backward(const struct ms_conv *c);         // totals -> dbeta
void ms_turn_weights(const struct ms_conv *c, int first, int last); // w -> wt, output blocks first to last-1

// Addresses. Rows and columns count the halo: pixel (0,0) of the plane is at h = 1, w = 1.
static inline int64_t ms_row(const struct ms_view *v) { return (int64_t)(v->w + 2) * v->ps; }
static inline int64_t ms_plane(const struct ms_view *v) { return (v->h + 2) * ms_row(v); }
static inline float *ms_at(const struct ms_view *v, int n, int cb, int h, int w) {
	return v->p + ((int64_t)n * v->tcb + cb) * ms_plane(v) + h * ms_row(v) + (int64_t)w * v->ps;
}

#endif
