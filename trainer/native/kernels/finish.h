// What inference does with the output of a convolution, for one instruction set. Included once by each kern_*.c before winograd.h.

// y = silu(y) where that is wanted, and y += add where there is one: `pixels` of row h of block b of image n, from `column` on.
static void finish(const struct ms_fused *f, int n, int b, int h, int column, int pixels) {
	float *y = ms_at(&f->y, n, b, h, column);
	const float *add = f->add.p ? ms_at(&f->add, n, b, h, column) : NULL;
	const int floats = pixels * MS_LANES;
	if (f->active && add) {
		for (int i = 0; i < floats; i += VL) {
			const vec z = load(y + i);
			store(y + i, muladd(z, sigmoid(z), load(add + i)));
		}
	} else if (f->active) {
		for (int i = 0; i < floats; i += VL) {
			const vec z = load(y + i);
			store(y + i, z * sigmoid(z));
		}
	} else if (add) {
		for (int i = 0; i < floats; i += VL) store(y + i, load(y + i) + load(add + i));
	}
}
