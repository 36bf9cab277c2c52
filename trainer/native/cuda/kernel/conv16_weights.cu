// Convolutions in bf16 on tensor cores: the gradient of the weights, an implicit product of matrices whose terms are pixels.
//
// Rows are lanes of the product, columns (tap, lane) of the input, in the order of the weights; eight lanes of a tap, 16
// bytes, are a group. Both matrices lie in shared memory with a pixel to a row, and are transposed as fragments are loaded.
// The pixels are divided into slices, one to a block, which leave sums of their own for slices.cu to add in order.
#include "conv16_columns.cuh"

template <class T, int EACH> __device__ __forceinline__ void weights(const WeightArgs &whole) {
	DYNAMIC_SHARED(bf16, shared);
	const WeightArgs a = weight_group(whole, blockIdx.z);
	const int all = a.kernel * a.kernel * a.x.c; // columns
	const int lane = blockIdx.x / a.columns * T::BM, column = blockIdx.x % a.columns * T::BN;
	const unsigned first = blockIdx.y * (unsigned)a.each, last = first + (unsigned)a.each, count = (unsigned)pixels(a.dy), end = last < count ? last : count;
	const ColumnReader<T, EACH> reader(a, column);
	const Warps<T> warps;
	Sums<T> sums;
	sums.zero();
	const int steps = (int)(end - first + T::BK - 1) / T::BK;
#pragma unroll
	for (int s = 0; s < T::STAGES - 1; s++) {
		if (s < steps) {
			load_rows<T>(shared + s * T::STAGE, a, lane, first + s * T::BK, end);
			reader.load(shared + s * T::STAGE + T::BM * T::BK, a, first + s * T::BK, end);
		}
		commit_copies();
	}
	for (int s = 0; s < steps; s++) {
		wait_copies<T::STAGES - 2>();
		__syncthreads();
		const int next = s + T::STAGES - 1;
		if (next < steps) {
			bf16 *stage = shared + next % T::STAGES * T::STAGE;
			load_rows<T>(stage, a, lane, first + next * T::BK, end);
			reader.load(stage + T::BM * T::BK, a, first + next * T::BK, end);
		}
		commit_copies();
		const bf16 *stage = shared + s % T::STAGES * T::STAGE;
		multiply<T, true, true>(sums, stage, stage + T::BM * T::BK, warps, (int)(end - first) - s * T::BK);
	}
	wait_copies<0>();
	__syncthreads();
	gather_sums<T>(sums, reinterpret_cast<float *>(shared), warps);
	store_weights<T>(sums, a.dw + (long long)(blockIdx.y * gridDim.z + blockIdx.z) * a.dy.c * all, lane, column, a.dy.c, all, warps);
}

// Shapes, as conv16_tiles.go lists them.
using Weights128x128 = MatrixTile<128, 128, 2, 4, 1, 32, 4>;
using Weights64x64 = MatrixTile<64, 64, 2, 2, 1, 32, 5>;
using Weights32x64 = MatrixTile<32, 64, 1, 2, 2, 64, 4>;
using Weights16x64 = MatrixTile<16, 64, 1, 1, 4, 64, 4>;
using Weights32x32 = MatrixTile<32, 32, 1, 1, 4, 64, 5>;

#define WEIGHTS(shape) \
	KERNEL(conv16_weights_##shape, WeightArgs, Weights##shape::THREADS) { weights<Weights##shape, 8>(a); }
#define IMAGE_WEIGHTS(shape) \
	KERNEL(conv16_image_weights_##shape, WeightArgs, Weights##shape::THREADS) { weights<Weights##shape, 4>(a); }

WEIGHTS(128x128)
WEIGHTS(64x64)
WEIGHTS(32x64)
WEIGHTS(16x64)
WEIGHTS(32x32)
IMAGE_WEIGHTS(64x64)
IMAGE_WEIGHTS(32x64)
IMAGE_WEIGHTS(16x64)
