// The closing part of each kern_*.c: the set's entry points. TABLE and TABLE_NAME name it.
const struct ms_kernels TABLE = {
	.name = TABLE_NAME,
	.conv_forward = conv_forward,
	.conv_backward = conv_backward,
	.copy = copy,
	.zero = zero,
	.add = add,
	.upsample_forward = upsample_forward,
	.upsample_backward = upsample_backward,
	.pool_forward = pool_forward,
	.pool_backward = pool_backward,
	.unpack = unpack,
	.pack = pack,
	.sgd = sgd,
	.lerp = lerp,
	.scale = scale,
	.sum_squares = sum_squares,
};
