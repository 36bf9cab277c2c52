// A vector of floats as wide as the instruction set's registers, and the few things done with it. A channel block of
// 16 lanes is NV vectors. The including file defines one of MS_AVX512, MS_AVX2, MS_GENERIC and has set its target.
#ifndef MAPSWEEP_SIMD_H
#define MAPSWEEP_SIMD_H

#if defined(MS_AVX512)
#define VL 16
#define PINREG "v"
#elif defined(MS_AVX2)
#define VL 8
#define PINREG "x"
#else
#define VL 4
#if defined(__x86_64__)
#define PINREG "x"
#elif defined(__aarch64__)
#define PINREG "w"
#endif
#endif

#if defined(MS_AVX512) || defined(MS_AVX2)
#include <immintrin.h>
#endif

#define NV (MS_LANES / VL)
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * VL)));
typedef int32_t ivec __attribute__((vector_size(4 * VL)));
typedef float loosevec __attribute__((vector_size(4 * VL), aligned(4), may_alias));

INLINE vec load(const float *p) { return *(const loosevec *)p; }
INLINE void store(float *p, vec v) { *(loosevec *)p = v; }

#if defined(MS_AVX512)
INLINE vec splat(float f) { return _mm512_set1_ps(f); }
INLINE vec muladd(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); } // a*b + c
INLINE vec vmin(vec a, vec b) { return _mm512_min_ps(a, b); }            // b where either is not a number
INLINE vec vmax(vec a, vec b) { return _mm512_max_ps(a, b); }
#elif defined(MS_AVX2)
INLINE vec splat(float f) { return _mm256_set1_ps(f); }
INLINE vec muladd(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec vmin(vec a, vec b) { return _mm256_min_ps(a, b); }
INLINE vec vmax(vec a, vec b) { return _mm256_max_ps(a, b); }
#else
INLINE vec splat(float f) { return (vec){f, f, f, f}; }
INLINE vec muladd(vec a, vec b, vec c) { return a * b + c; }
#endif

INLINE ivec isplat(int32_t i) { return (ivec){0} + i; }
INLINE vec pick(ivec mask, vec yes, vec no) { return (vec)((mask & (ivec)yes) | (~mask & (ivec)no)); }
#if VL == 4
INLINE vec vmin(vec a, vec b) { return pick(a < b, a, b); }
INLINE vec vmax(vec a, vec b) { return pick(a > b, a, b); }
#endif

// Half blocks, the lower 8 lanes: where a vector is a whole block, operations with `narrow` (a constant) use half of each
// register, and the rest of it is undefined. Elsewhere narrow is always 0.
#define HALF_LANES (MS_LANES / 2)
// How many vectors a half block takes, and how many NB blocks do of which the last may be one. With vectors of a whole
// block the last one is narrowed to half of a register, which on many processors takes half the time.
#define HALF_NV (NV > 1 ? NV / 2 : 1)
#define VECTORS(NB, HALF) ((HALF) ? ((NB) - 1) * NV + HALF_NV : (NB) * NV)
#define NARROW(n, N, HALF) (NV == 1 && (HALF) && (n) == (N) - 1)

#if defined(MS_AVX512)
#define LOWER(v) _mm512_castps512_ps256(v)
#define WHOLE(v) (vec) _mm512_castps256_ps512(v)
INLINE vec load_part(int narrow, const float *p) { return narrow ? WHOLE(_mm256_loadu_ps(p)) : load(p); }
INLINE vec zero_part(int narrow) { return narrow ? WHOLE(_mm256_setzero_ps()) : splat(0); }
INLINE vec add_part(int narrow, vec a, vec b) { return narrow ? WHOLE(_mm256_add_ps(LOWER(a), LOWER(b))) : a + b; }
INLINE vec sub_part(int narrow, vec a, vec b) { return narrow ? WHOLE(_mm256_sub_ps(LOWER(a), LOWER(b))) : a - b; }
INLINE vec muladd_part(int narrow, vec a, vec b, vec c) {
	return narrow ? WHOLE(_mm256_fmadd_ps(LOWER(a), LOWER(b), LOWER(c))) : muladd(a, b, c);
}
INLINE void store_part(int narrow, float *p, vec v) {
	if (narrow) _mm256_storeu_ps(p, LOWER(v));
	else store(p, v);
}
INLINE void store_padded(int narrow, float *p, vec v) { store(p, narrow ? (vec)_mm512_zextps256_ps512(LOWER(v)) : v); } // zero above
#else
INLINE vec load_part(int narrow, const float *p) { return (void)narrow, load(p); }
INLINE vec zero_part(int narrow) { return (void)narrow, splat(0); }
INLINE vec add_part(int narrow, vec a, vec b) { return (void)narrow, a + b; }
INLINE vec sub_part(int narrow, vec a, vec b) { return (void)narrow, a - b; }
INLINE vec muladd_part(int narrow, vec a, vec b, vec c) { return (void)narrow, muladd(a, b, c); }
INLINE void store_part(int narrow, float *p, vec v) { (void)narrow, store(p, v); }
INLINE void store_padded(int narrow, float *p, vec v) { (void)narrow, store(p, v); }
#endif

// PIN keeps a value in a register here and now: without it gcc hoists the loads of an unrolled tile and spills them.
#if defined(PINREG)
#define PIN(v) __asm__ volatile("" : "+" PINREG(v))
#else
#define PIN(v) (void)(v)
#endif

// Sums of normalisation are float32 within a row of pixels, or rows of so many together, and float64 from there on; in
// Winograd's form float32 within a row of tiles or a part of it (winograd.h).
#define SUM_PIXELS 64

// Tells whether sums go on in float64 after row h, counted from 0, of so many.
INLINE int ends_sums(int h, int rows, int width) { return h + 1 == rows || (h + 1) % (width < SUM_PIXELS ? SUM_PIXELS / width : 1) == 0; }

// Adds a vector to as many sums.
INLINE void add_wide(double *to, vec v) {
#if defined(MS_AVX512)
	_mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), _mm512_cvtps_pd(_mm512_castps512_ps256(v))));
	_mm512_storeu_pd(to + 8, _mm512_add_pd(_mm512_loadu_pd(to + 8), _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1))));
#else
	float row[VL];
	store(row, v);
	for (int i = 0; i < VL; i++) to[i] += row[i];
#endif
}

// Adds the sums of rows to those of their image, [blocks][2][16] both, and begins the next ones.
INLINE void end_row(double *sums, float *row, int blocks) {
	for (int i = 0; i < blocks * 2 * MS_LANES; i += VL) {
		add_wide(sums + i, load(row + i));
		store(row + i, splat(0));
	}
}

// sigmoid is 1/(1+exp(-z)) to about 2 units in the last place, from operations that IEEE 754 defines: estimates of reciprocals
// and the like differ between processor makers, and results must not. The division runs beside the multiplications.
INLINE vec sigmoid(vec z) {
	const vec limit = splat(86.0f);
	vec x = vmax(-limit, vmin(limit, -z));
	// exp(x) = 2^n * exp(r), |r| <= ln(2)/2. Adding 1.5*2^23 rounds to an integer and leaves it in the low bits.
	const vec magic = splat(12582912.0f);
	vec t = muladd(x, splat(1.44269504f), magic);
	vec n = t - magic;
	vec r = muladd(n, splat(-0.693359375f), x); // ln(2) in two parts, the first exact in few bits (Cody and Waite)
	r = muladd(n, splat(2.12194440e-4f), r);
	// exp(r) = 1 + r + r^2 * p(r), p of degree 4 with the least largest relative error on that interval, 4e-9.
	vec p = splat(1.3814539e-3f);
	p = muladd(p, r, splat(8.3687450e-3f));
	p = muladd(p, r, splat(4.1668390e-2f));
	p = muladd(p, r, splat(1.6666521e-1f));
	p = muladd(p, r, splat(4.9999994e-1f));
	p = muladd(p, r * r, r) + splat(1.0f);
	// 2^n by adding n to the exponent: the low bits of t, shifted, since those of the magic number vanish to the left.
	const vec one = splat(1.0f);
	return one / ((vec)((ivec)p + ((ivec)t << 23)) + one);
}

#endif
