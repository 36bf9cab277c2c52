// Copies of weights in bf16, and of their gradients out of it.
#include "port.cuh"

struct RoundArgs {
	const float *from;
	bf16 *to;
	long long n;
};

// A thread rounds 8 values, the last one those that are left.
FLAT_KERNEL(round_bf16, RoundArgs, 256) {
	for (long long i = global_thread() * 8; i < a.n; i += global_threads() * 8) {
		if (i + 8 <= a.n) {
			float v[8];
			load8(a.from + i, v);
			store8(a.to + i, v);
			continue;
		}
		for (long long j = i; j < a.n; j++)
			a.to[j] = from_float<bf16>(a.from[j]);
	}
}

struct WidenArgs {
	const bf16 *from;
	float *to;
	long long n;
};

// The same the other way.
FLAT_KERNEL(widen_bf16, WidenArgs, 256) {
	for (long long i = global_thread() * 8; i < a.n; i += global_threads() * 8) {
		if (i + 8 <= a.n) {
			float v[8];
			load8(a.from + i, v);
			store8(a.to + i, v);
			continue;
		}
		for (long long j = i; j < a.n; j++)
			a.to[j] = to_float(a.from[j]);
	}
}
