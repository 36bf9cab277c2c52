// Augmentation: from recipes and the data set's pictures to the image of a batch. Every pixel of a canvas asks for what it
// is made of; no picture in between is stored.
#include "augment.cuh"

using namespace augment;

// pictures are those of the data set, size x size x 3 bytes each.
struct AugmentComposeArgs {
	const uint8_t *pictures;
	const Recipe *recipes;
	const float *pool;
	uint32_t *canvas; // n x size x size colours
	int *counts;      // of the change that follows; null without changes
	int size, pad_;
};

namespace {

// Whether the centre of pixel x, y of a stage lies inside a polygon of its layer (even-odd rule). c is a crossing of its
// outline with the row; it counts where it lies left of the centre.
__device__ bool mirrored(const float *pool, const Layer &l, int x, int y) {
	const double at = y + .5;
	const float *p = pool + l.first;
	for (int k = 0; k < l.polygons; k++) {
		const int n = __float_as_int(p[0]);
		const bool near = x + 1 >= p[1] && at >= p[2] && x <= p[3] && at <= p[4];
		const float *corner = p + POLYGON_HEAD;
		p = corner + 2 * n;
		if (!near)
			continue;
		bool inside = false;
		for (int i = 0; i < n; i++) {
			const int j = i + 1 < n ? i + 1 : 0;
			const double x0 = corner[2 * i], y0 = corner[2 * i + 1], x1 = corner[2 * j], y1 = corner[2 * j + 1];
			if ((y0 <= at) == (y1 <= at))
				continue;
			const double c = x0 + times((at - y0) / (y1 - y0), x1 - x0);
			if (ceil(min(max(c - .5, 0.), (double)l.stage)) <= x)
				inside = !inside;
		}
		if (inside)
			return true;
	}
	return false;
}

// The colour of the last part, from last down to first, that covers x, y of a stage.
__device__ bool covered(const AugmentComposeArgs &a, const Layer &l, int first, int last, int x, int y, uint32_t &colour) {
	for (int i = last - 1; i >= first; i--) {
		const Part &p = l.part[i];
		const int u = x - p.x, v = y - p.y;
		if (u < 0 || v < 0 || u >= p.w || v >= p.h)
			continue;
		const uint8_t *pixel = a.pictures + 3 * (((long long)p.image * a.size + p.from_y + v) * a.size + p.from_x + u);
		colour = pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16;
		return true;
	}
	return false;
}

__device__ uint32_t stage_colour(const AugmentComposeArgs &a, const Layer &l, int x, int y) {
	uint32_t colour = GREY;
	if (covered(a, l, l.parts, l.all, x, y, colour))
		return colour;
	if (l.polygons && mirrored(a.pool, l, x, y))
		x = l.stage - 1 - x;
	covered(a, l, 0, l.parts, x, y, colour);
	return colour;
}

__device__ uint32_t layer_colour(const AugmentComposeArgs &a, const Layer &l, int x, int y) {
	if (!l.seen)
		return stage_colour(a, l, x, y);
	return through(l.view, x, y, l.stage, [&](int u, int v) { return stage_colour(a, l, u, v); });
}

__device__ uint32_t mix(uint32_t mine, uint32_t theirs, double weight) {
	uint32_t colour = 0;
#pragma unroll
	for (int c = 0; c < 3; c++)
		colour |= (uint32_t)(int)(times(channel(mine, c), weight) + times(channel(theirs, c), 1 - weight)) << 8 * c;
	return colour;
}

} // namespace

// Writes the canvases; row y of the grid is sample y.
FLAT_KERNEL(augment_compose, AugmentComposeArgs, 256) {
	const int sample = blockIdx.y, pixels = a.size * a.size;
	const Recipe &r = a.recipes[sample];
	if (a.counts)
		for (long long i = global_thread(); i < COUNTS; i += global_threads())
			a.counts[(long long)sample * COUNTS + i] = 0;
	for (long long i = global_thread(); i < pixels; i += global_threads()) {
		const int y = (int)i / a.size, x = (int)i - y * a.size;
		uint32_t colour = layer_colour(a, r.layer[0], x, y);
		if (r.layers > 1)
			colour = mix(colour, layer_colour(a, r.layer[1], x, y), r.weight);
		a.canvas[(long long)sample * pixels + i] = colour;
	}
}

struct AugmentFinishArgs {
	View out;
	const Recipe *recipes;
	const uint32_t *canvas;
	int size, pad_;
};

namespace {

struct Rgb {
	float r, g, b;
};

__device__ __forceinline__ float unit(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

__device__ Rgb linear(const float (&m)[9], Rgb v) {
	return {unit(times(m[0], v.r) + times(m[1], v.g) + times(m[2], v.b)), unit(times(m[3], v.r) + times(m[4], v.g) + times(m[5], v.b)),
	        unit(times(m[6], v.r) + times(m[7], v.g) + times(m[8], v.b))};
}

// Multiplies hue (0 to below 6), saturation and value (Smith: "Color gamut transform pairs", SIGGRAPH 1978).
__device__ Rgb exact(const float (&scale)[3], Rgb in) {
	float v = max(in.r, max(in.g, in.b));
	const float span = v - min(in.r, min(in.g, in.b));
	float h = 0, s = 0;
	if (span != 0) {
		if (v == in.r) {
			h = (in.g - in.b) / span;
			if (h < 0)
				h += 6;
		} else if (v == in.g)
			h = 2 + (in.b - in.r) / span;
		else
			h = 4 + (in.r - in.g) / span;
		s = span / v;
	}
	h = times(h, scale[0]);
	if (h >= 6)
		h -= 6;
	s = min(times(s, scale[1]), 1.f);
	v = min(times(v, scale[2]), 1.f);
	const int sector = (int)h;
	const float f = h - sector, low = times(v, 1 - s), down = times(v, 1 - times(s, f)), up = times(v, 1 - times(s, 1 - f));
	switch (sector) {
	case 0:
		return {v, up, low};
	case 1:
		return {down, v, low};
	case 2:
		return {low, v, up};
	case 3:
		return {low, down, v};
	case 4:
		return {up, low, v};
	}
	return {v, low, down};
}

// The values of pixel x, y of a finished picture of the data set's size.
__device__ Rgb finished(const AugmentFinishArgs &a, const Recipe &r, int sample, int x, int y) {
	if (r.flip_lr)
		x = a.size - 1 - x;
	if (r.flip_ud)
		y = a.size - 1 - y;
	const uint32_t colour = a.canvas[((long long)sample * a.size + y) * a.size + x];
	const Rgb v = {channel(colour, 0) / 255.f, channel(colour, 1) / 255.f, channel(colour, 2) / 255.f};
	return r.mode == LINEAR ? linear(r.matrix, v) : r.mode == EXACT ? exact(r.scale, v) : v;
}

// Where pixel i of a row of `to` lies between two of a row of `from`, and the weight of the second one.
__device__ __forceinline__ void tap(int i, int from, int to, int &first, int &second, float &weight) {
	const double at = max(0., times(i + .5, (double)from) / to - .5);
	first = min((int)at, from - 1);
	second = min(first + 1, from - 1);
	weight = (float)(at - first);
}

__device__ __forceinline__ float towards(float p, float q, float weight) { return p + times(q - p, weight); }

__device__ __forceinline__ Rgb towards(Rgb p, Rgb q, float weight) {
	return {towards(p.r, q.r, weight), towards(p.g, q.g, weight), towards(p.b, q.b, weight)};
}

// Pixel x, y of a finished picture that is resized to the image's side.
__device__ Rgb resized(const AugmentFinishArgs &a, const Recipe &r, int sample, int x, int y) {
	int x0, x1, y0, y1;
	float dx, dy;
	tap(x, a.size, a.out.w, x0, x1, dx);
	tap(y, a.size, a.out.h, y0, y1, dy);
	const Rgb top = towards(finished(a, r, sample, x0, y0), finished(a, r, sample, x1, y0), dx);
	const Rgb bottom = towards(finished(a, r, sample, x0, y1), finished(a, r, sample, x1, y1), dx);
	return towards(top, bottom, dy);
}

struct alignas(8) Pair {
	uint32_t w[2];
};

__device__ __forceinline__ void store(float *p, Rgb v) { *reinterpret_cast<Quad *>(p) = {{__float_as_uint(v.r), __float_as_uint(v.g), __float_as_uint(v.b), 0}}; }

__device__ __forceinline__ void store(bf16 *p, Rgb v) {
	*reinterpret_cast<Pair *>(p) = {{from_float<bf16>(v.r).bits | (uint32_t)from_float<bf16>(v.g).bits << 16, from_float<bf16>(v.b).bits}};
}

// Writes the image: lanes red, green, blue and 0. Row y of the grid is sample y.
template <class T> __device__ void finish(const AugmentFinishArgs &a) {
	const int sample = blockIdx.y, pixels = a.out.h * a.out.w;
	const Recipe &r = a.recipes[sample];
	for (long long i = global_thread(); i < pixels; i += global_threads()) {
		const int y = (int)i / a.out.w, x = (int)i - y * a.out.w;
		store(at<T>(a.out, (long long)sample * pixels + i), a.out.h == a.size ? finished(a, r, sample, x, y) : resized(a, r, sample, x, y));
	}
}

} // namespace

FLAT_KERNEL(augment_finish_f32, AugmentFinishArgs, 256) { finish<float>(a); }
FLAT_KERNEL(augment_finish_bf16, AugmentFinishArgs, 256) { finish<bf16>(a); }
