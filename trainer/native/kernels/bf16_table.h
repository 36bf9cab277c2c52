// The closing part of bf16.h and bf16_dw.h: their entry points.
#if !defined(MS_BF16)
static
#endif
const struct ms_bf16 BF16_TABLE = {
	.name = BF16_NAME,
	.pack = bf_pack,
	.turn = bf_turn,
	.convolve = bf_convolve,
	.dy = bf_dy,
	.pair = bf_pair_input,
	.weight_tiles = bf_weight_tiles,
	.weight_backward = bf_weight_backward,
	.input_backward = bf_input_backward,
};
