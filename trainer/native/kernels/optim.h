// What optimisers need beside sgd (plain.h): Adam and AdamW, LION, and sums of gradients over several batches.

INLINE vec vsqrt(vec v) {
#if defined(MS_AVX512)
	return _mm512_sqrt_ps(v);
#elif defined(MS_AVX2)
	return _mm256_sqrt_ps(v);
#else
	for (int i = 0; i < VL; i++) v[i] = __builtin_sqrtf(v[i]);
	return v;
#endif
}

// peak may be NULL: then the denominator is made of v itself. Roots and quotients are rounded exactly everywhere.
INLINE void adamw_step(float *w, const float *g, float *m, float *v, float *peak, const struct ms_adamw *s) {
	vec d = load(g) * splat(s->gscale);
	if (s->l2 != 0) d = muladd(load(w), splat(s->l2), d);
	const vec mo = muladd(d - load(m), splat(s->fresh1), load(m));
	const vec sq = muladd(d * d, splat(s->fresh2), load(v) * splat(s->beta2));
	store(m, mo);
	store(v, sq);
	vec under = sq;
	if (peak) {
		under = vmax(load(peak), sq);
		store(peak, under);
	}
	const vec root = vsqrt(under) / splat(s->root2) + splat(s->epsilon);
	store(w, load(w) * splat(s->keep) - splat(s->rate) * (mo / root));
}

// The last n%VL elements go through vectors on the stack, so that they are rounded as all others.
static void adamw(float *w, const float *g, float *m, float *v, float *peak, int64_t n, const struct ms_adamw *s) {
	int64_t i = 0;
	for (; i + VL <= n; i += VL) adamw_step(w + i, g + i, m + i, v + i, peak ? peak + i : NULL, s);
	if (i == n) return;
	const size_t rest = sizeof(float) * (size_t)(n - i);
	float t[5][VL] = {{0}};
	memcpy(t[0], w + i, rest);
	memcpy(t[1], g + i, rest);
	memcpy(t[2], m + i, rest);
	memcpy(t[3], v + i, rest);
	if (peak) memcpy(t[4], peak + i, rest);
	adamw_step(t[0], t[1], t[2], t[3], peak ? t[4] : NULL, s);
	memcpy(w + i, t[0], rest);
	memcpy(m + i, t[2], rest);
	memcpy(v + i, t[3], rest);
	if (peak) memcpy(peak + i, t[4], rest);
}

INLINE void lion_step(float *w, const float *g, float *m, const struct ms_lion *s) {
	const vec d = load(g) * splat(s->gscale), mo = load(m);
	const vec c = muladd(d - mo, splat(s->fresh1), mo), none = splat(0), rate = splat(s->rate);
	const vec move = pick(c > none, rate, none) - pick(c < none, rate, none);
	store(m, muladd(d - mo, splat(s->fresh2), mo));
	store(w, load(w) * splat(s->keep) - move);
}

static void lion(float *w, const float *g, float *m, int64_t n, const struct ms_lion *s) {
	int64_t i = 0;
	for (; i + VL <= n; i += VL) lion_step(w + i, g + i, m + i, s);
	if (i == n) return;
	const size_t rest = sizeof(float) * (size_t)(n - i);
	float t[3][VL] = {{0}};
	memcpy(t[0], w + i, rest);
	memcpy(t[1], g + i, rest);
	memcpy(t[2], m + i, rest);
	lion_step(t[0], t[1], t[2], s);
	memcpy(w + i, t[0], rest);
	memcpy(m + i, t[2], rest);
}

static void accumulate(float *dst, const float *src, int64_t n) {
	for (int64_t i = 0; i < n; i++) dst[i] += src[i];
}
