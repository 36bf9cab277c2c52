// How flat kernels divide a window among threads: each keeps to 8 lanes.
#pragma once

#include "port.cuh"

// A thread's share of a window: 8 lanes, of every step-th pixel. Neighbouring threads have neighbouring lanes.
struct Share {
	int lane;
	long long pixel, step;
};

__device__ __forceinline__ Share share_of(const View &v) {
	const unsigned groups = v.c / LANES, i = (unsigned)global_thread(), step = (unsigned)global_threads() / groups;
	return {(int)(i % groups) * LANES, i < step * groups ? i / groups : pixels(v), step};
}

// Where a pixel lies.
struct Place {
	int n, y, x;
};

__device__ __forceinline__ Place place_of(const View &v, long long pixel) {
	const unsigned p = (unsigned)pixel, row = p / v.w;
	return {(int)(row / v.h), (int)(row % v.h), (int)(p % v.w)};
}

__device__ __forceinline__ long long pixel_at(const View &v, int n, int y, int x) { return ((long long)n * v.h + y) * v.w + x; }
