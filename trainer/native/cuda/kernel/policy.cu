// Changes of whole pictures, as policies of augmentation make them: a place in the lists of all samples takes three kernels,
// which count colours where the change needs that, make a table of each channel where it can be one, and write the canvas anew.
#include "augment.cuh"

using namespace augment;

struct AugmentChangeArgs {
	const Recipe *recipes;
	const uint32_t *from; // n x size x size colours
	uint32_t *to;
	int *counts;      // n x COUNTS, 0 at first
	uint8_t *tables;  // n x COUNTS
	int size, number; // of the change in each recipe
};

namespace {

__device__ __forceinline__ int kind_of(const Recipe &r, int number) { return number < r.changes ? r.change[number].kind : NONE; }

// ITU-R 601 weights in 16-bit fixed point.
__device__ __forceinline__ int luma(uint32_t colour) {
	return (int)((channel(colour, 0) * 19595u + channel(colour, 1) * 38470u + channel(colour, 2) * 7471u + 0x8000u) >> 16);
}

// From a towards b by gain, and beyond it, truncated to 0..255.
__device__ __forceinline__ int blend(int a, int b, float gain) {
	const float v = (float)a + times(gain, (float)(b - a));
	return v <= 0 ? 0 : v >= 255 ? 255 : (int)v;
}

} // namespace

// Counts the values of each channel, or of the grey picture in the place of the first one. Row y of the grid is sample y.
KERNEL(augment_count, AugmentChangeArgs, 256) {
	SHARED(int, counts, COUNTS);
	const int sample = blockIdx.y, pixels = a.size * a.size;
	const int kind = kind_of(a.recipes[sample], a.number);
	if (kind != CONTRAST && kind != AUTO_CONTRAST && kind != EQUALIZE)
		return;
	for (int i = threadIdx.x; i < COUNTS; i += blockDim.x)
		counts[i] = 0;
	__syncthreads();
	for (long long i = global_thread(); i < pixels; i += global_threads()) {
		const uint32_t colour = a.from[(long long)sample * pixels + i];
		if (kind == CONTRAST) {
			atomicAdd(&counts[luma(colour)], 1);
			continue;
		}
#pragma unroll
		for (int c = 0; c < 3; c++)
			atomicAdd(&counts[256 * c + channel(colour, c)], 1);
	}
	__syncthreads();
	for (int i = threadIdx.x; i < COUNTS; i += blockDim.x)
		if (counts[i])
			atomicAdd(&a.counts[(long long)sample * COUNTS + i], counts[i]);
}

namespace {

__device__ int mean_grey(const int *counts, int pixels) {
	long long sum = 0;
	for (int i = 0; i < 256; i++)
		sum += (long long)i * counts[i];
	return (int)((double)sum / pixels + .5);
}

__device__ int stretched(const int *counts, int value) {
	int lo = 0, hi = 255;
	while (lo < 255 && counts[lo] == 0)
		lo++;
	while (hi > 0 && counts[hi] == 0)
		hi--;
	double scale = 1, offset = 0;
	if (hi > lo) {
		scale = 255 / (double)(hi - lo);
		offset = times((double)-lo, scale);
	}
	return min(max((int)(times((double)value, scale) + offset), 0), 255);
}

__device__ int equalized(const int *counts, int value) {
	int sum = 0, last = 0, kinds = 0, below = 0;
	for (int i = 0; i < 256; i++) {
		if (i == value)
			below = sum;
		if (counts[i] > 0) {
			sum += counts[i];
			last = counts[i];
			kinds++;
		}
	}
	const int step = (sum - last) / 255;
	if (kinds <= 1 || step == 0)
		return value;
	return min((step / 2 + below) / step, 255);
}

} // namespace

// Makes the tables of those changes that are one. A thread makes one entry.
FLAT_KERNEL(augment_table, AugmentChangeArgs, 256) {
	const int sample = blockIdx.y;
	const Recipe &r = a.recipes[sample];
	const int kind = kind_of(r, a.number);
	if (kind == NONE || kind == SATURATION || kind == SHARPNESS || kind == PROJECT)
		return;
	const Change &change = r.change[a.number];
	const int *counts = a.counts + (long long)sample * COUNTS;
	for (long long i = global_thread(); i < COUNTS; i += global_threads()) {
		const int value = (int)i % 256, *channels = counts + ((int)i - value);
		int v = value;
		switch (kind) {
		case BRIGHTNESS:
			v = blend(0, value, change.gain);
			break;
		case CONTRAST:
			v = blend(mean_grey(counts, a.size * a.size), value, change.gain);
			break;
		case POSTERIZE:
			v = value & 0xff << (8 - change.level);
			break;
		case SOLARIZE:
			v = value >= change.level ? 255 - value : value;
			break;
		case AUTO_CONTRAST:
			v = stretched(channels, value);
			break;
		case EQUALIZE:
			v = equalized(channels, value);
			break;
		case INVERT:
			v = 255 - value;
			break;
		}
		a.tables[(long long)sample * COUNTS + i] = (uint8_t)v;
	}
}

namespace {

// Blends with the picture smoothed by the 3x3 kernel of ones around 5, over 13. p is a pixel that lies inside.
__device__ uint32_t sharpened(const uint32_t *p, int width, float gain) {
	uint32_t colour = 0;
#pragma unroll
	for (int c = 0; c < 3; c++) {
		int sum = 4 * channel(p[0], c);
#pragma unroll
		for (int y = -1; y <= 1; y++)
			for (int x = -1; x <= 1; x++)
				sum += channel(p[y * width + x], c);
		colour |= (uint32_t)blend((2 * sum + 13) / 26, channel(p[0], c), gain) << 8 * c;
	}
	return colour;
}

} // namespace

// Writes the canvas with the change made, or as it was, and forgets what was counted. Row y of the grid is sample y.
FLAT_KERNEL(augment_change, AugmentChangeArgs, 256) {
	const int sample = blockIdx.y, size = a.size, pixels = size * size;
	const Recipe &r = a.recipes[sample];
	const int kind = kind_of(r, a.number);
	const Change &change = r.change[kind == NONE ? 0 : a.number];
	const uint32_t *from = a.from + (long long)sample * pixels;
	const uint8_t *table = a.tables + (long long)sample * COUNTS;
	for (long long i = global_thread(); i < COUNTS; i += global_threads())
		a.counts[(long long)sample * COUNTS + i] = 0;
	for (long long i = global_thread(); i < pixels; i += global_threads()) {
		const int y = (int)i / size, x = (int)i - y * size;
		uint32_t colour = from[i];
		switch (kind) {
		case NONE:
			break;
		case SATURATION: {
			const int grey = luma(colour);
			colour = (uint32_t)blend(grey, channel(colour, 0), change.gain) | (uint32_t)blend(grey, channel(colour, 1), change.gain) << 8 |
			         (uint32_t)blend(grey, channel(colour, 2), change.gain) << 16;
			break;
		}
		case SHARPNESS:
			if (x > 0 && y > 0 && x < size - 1 && y < size - 1)
				colour = sharpened(from + i, size, change.gain);
			break;
		case PROJECT:
			colour = through(change.view, x, y, size, [&](int u, int v) { return from[(long long)v * size + u]; });
			break;
		default:
			colour = table[channel(colour, 0)] | (uint32_t)table[256 + channel(colour, 1)] << 8 | (uint32_t)table[512 + channel(colour, 2)] << 16;
		}
		a.to[(long long)sample * pixels + i] = colour;
	}
}
