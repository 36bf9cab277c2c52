// A layer over the whole batch, in pieces for a team of threads. Included once by each kern_*.c after conv.h and rep.h.
//
// Passes over the batch alternate in direction, so that each begins with the images that the one before it left in the
// cache: convolve upwards, activate downwards, the sums of the backward pass upwards, the rest of it downwards.

// A pass over the images first to first+count-1, in pieces: runs of about `each` images, or parts of one. d is the second arm, or NULL.
struct batch {
	const struct ms_conv *c, *d;
	int first, count, parts, each;
	int train;
};

// Images from `from` to to-1.
struct images {
	int from, to;
};

// Runs of equal length, as far as that can be, and as many for every thread.
static int pieces(const struct batch *b) {
	const int threads = ms_team_threads(b->c->y.team), runs = (b->count + b->each - 1) / b->each;
	if (b->parts > 1) return b->count * b->parts;
	const int even = (runs + threads - 1) / threads * threads;
	return even < b->count ? even : b->count;
}

static struct images images_of(const struct batch *b, int piece) {
	const int shares = b->parts > 1 ? b->count : pieces(b);
	piece /= b->parts;
	return (struct images){b->first + ms_share(b->count, shares, piece), b->first + ms_share(b->count, shares, piece + 1)};
}
static struct part part_of(const struct batch *b, int piece) { return (struct part){piece % b->parts, b->parts}; }
static int first_block(const struct batch *b, struct part p) { return ms_share(b->c->ocb, p.of, p.number); }
static int last_block(const struct batch *b, struct part p) { return ms_share(b->c->ocb, p.of, p.number + 1); }

static void each_piece(const struct batch *b, ms_work *work, int down) { ms_team_run(b->c->y.team, work, b, pieces(b), down); }

// Images whose tiles fill a group, in Winograd's form.
static int images_of_group(const struct ms_conv *c) {
	return c->winograd ? ms_winograd_images(c->y.h, c->y.w, c->icb > c->ocb ? c->icb : c->ocb) : 1;
}

// All images, in parts where whole ones cannot be dealt out evenly: about eight pieces a thread then.
static struct batch batch_of(const struct ms_conv *c, const struct ms_conv *d, int train) {
	struct batch b = {.c = c, .d = d, .count = c->y.n, .parts = 1, .each = train && c->bf ? 1 : images_of_group(c), .train = train};
	const int threads = ms_team_threads(c->y.team);
	if (b.count % threads) b.parts = (8 * threads + b.count - 1) / b.count;
	return b;
}

// The scratch of one thread.
static uint32_t *room_of(const struct ms_conv *c, int member) { return c->room + member * c->room_words; }

// All images of a piece, or the part of one.
static void convolve_images(const struct batch *b, const struct ms_conv *c, struct images i, struct part p, int member) {
	const int bf = b->train && c->bf;
	if (!bf && c->winograd & MS_WINOGRAD_FORWARD) {
		winograd_convolve(c, i.from, i.to - i.from, p, b->train && c->bn, (float *)room_of(c, member));
		return;
	}
	for (int n = i.from; n < i.to; n++)
		if (bf) c->bf->convolve(c, n, p.number, p.of, room_of(b->c, member), c == b->d); // a piece is one image, and arms have one x
		else convolve(c, n, p, b->train && c->bn);
}

static void input_backward_images(const struct ms_conv *c, struct images i, struct part p, int member) {
	if (!c->bf && c->winograd & MS_WINOGRAD_DX) {
		winograd_input_backward(c, i.from, i.to - i.from, p, (float *)room_of(c, member));
		return;
	}
	for (int n = i.from; n < i.to; n++)
		if (c->bf) c->bf->input_backward(c, n, p.number, p.of);
		else input_backward(c, n, p);
}

static void convolve_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const struct part p = part_of(b, piece);
	const struct images i = images_of(b, piece);
	convolve_images(b, b->c, i, p, member);
	if (b->d) convolve_images(b, b->d, i, p, member);
}

static void activate_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const struct part p = part_of(b, piece);
	const struct images i = images_of(b, piece);
	const int first = first_block(b, p), last = last_block(b, p);
	for (int n = i.from; n < i.to; n++)
		if (b->d) rep_activate(b->c, b->d, n, first, last);
		else (b->c->linear ? normalise : activate)(b->c, n, first, last);
}

// Weights for the images of a forward pass, some output blocks.
static void pack_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	for (const struct ms_conv *c = b->c; c; c = c == b->d ? NULL : b->d)
		if (b->train && c->bf) c->bf->pack(c, piece, piece + 1);
		else if (c->winograd & MS_WINOGRAD_FORWARD) winograd_weights(c, piece, piece + 1);
}

static void forward(const struct ms_conv *c, const struct ms_conv *d, int train) {
	struct batch b = batch_of(c, d, train);
	if ((train && c->bf) || c->winograd & MS_WINOGRAD_FORWARD) ms_team_run(c->y.team, pack_piece, &b, c->ocb, 0);
	each_piece(&b, convolve_piece, 0);
	if (!c->bn) return;
	for (; c; c = c == d ? NULL : d) {
		if (train) add_totals(c);
		ms_bn_forward(c, train);
	}
	each_piece(&b, activate_piece, 1);
}

static void sums_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const struct part p = part_of(b, piece);
	const struct images i = images_of(b, piece);
	const int first = first_block(b, p), last = last_block(b, p);
	for (int n = i.from; n < i.to; n++)
		if (b->d) rep_silu_backward(b->c, b->d, n, first, last);
		else (!b->c->bn ? bias_sums : b->c->linear ? linear_backward : silu_backward)(b->c, n, first, last);
}

static void dy_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const struct part p = part_of(b, piece);
	const struct images i = images_of(b, piece);
	const int first = first_block(b, p), last = last_block(b, p);
	for (int n = i.from; n < i.to; n++) {
		if (b->c->bf) {
			b->c->bf->dy(b->c, n, first, last);
			if (b->d) b->c->bf->dy(b->d, n, first, last);
			b->c->bf->pair(b->c, n, ms_share(b->c->icb, p.of, p.number), ms_share(b->c->icb, p.of, p.number + 1));
			continue;
		}
		if (b->d) rep_point_backward(b->c, b->d, n, first, last);
		if (b->c->bn) bn_backward(b->c, n, first, last);
	}
}

static void dx_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	input_backward_images(b->c, images_of(b, piece), part_of(b, piece), member);
	if (b->d) input_backward_images(b->d, images_of(b, piece), part_of(b, piece), member);
}

// dx of all pieces. The second arm adds to what the first has made; parts of an image are not the same ones for both.
static void dx_of(const struct batch *b) {
	if (!b->d || b->parts == 1) {
		each_piece(b, dx_piece, 1);
		return;
	}
	struct batch arm = *b;
	arm.d = NULL;
	each_piece(&arm, dx_piece, 1);
	arm.c = b->d;
	each_piece(&arm, dx_piece, 1);
}

static void dy_dx_piece(const void *job, int piece, int member) {
	dy_piece(job, piece, member);
	dx_piece(job, piece, member);
}

// How many pieces so many things are dealt out to.
static int pieces_of(const struct ms_conv *c, int things) {
	const int threads = ms_team_threads(c->y.team), most = threads == 1 ? 1 : 4 * threads;
	return things < most ? things : most;
}

static int winograd_dw(const struct ms_conv *c) { return c->winograd & MS_WINOGRAD_DW; }

// Into how many things the gradient of the weights falls that can be made apart from each other.
static int weight_things(const struct ms_conv *c) { return winograd_dw(c) ? dw_units(c) : weight_tiles(c); }

static int weight_pieces(const struct ms_conv *c) {
	const int things = weight_things(c), threads = ms_team_threads(c->y.team);
	if (winograd_dw(c) && 4 % threads == 0) return threads; // nothing is transformed twice
	return pieces_of(c, things);
}

static void start_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const int pieces = pieces_of(b->c, b->c->ocb), first = ms_share(b->c->ocb, pieces, piece), last = ms_share(b->c->ocb, pieces, piece + 1);
	start_gradients(b->c, first, last);
	if (b->c->has_dx && !b->c->bf && b->c->winograd & MS_WINOGRAD_DX) winograd_turned(b->c, first, last);
	if (winograd_dw(b->c)) dw_clear(b->c, first, last);
	if (b->d) start_gradients(b->d, first, last);
}

// A share of the gradient of the weights for all images, in the order in which a thread alone takes them.
static void weight_piece(const void *job, int piece, int member) {
	const struct batch *b = job;
	const struct ms_conv *c = b->c;
	if (piece >= weight_pieces(c)) {
		piece -= weight_pieces(c);
		c = b->d;
	}
	const int things = weight_things(c), pieces = weight_pieces(c);
	const int first = ms_share(things, pieces, piece), last = ms_share(things, pieces, piece + 1);
	if (winograd_dw(c)) {
		winograd_weight_backward(c, b->first, b->first + b->count - 1, first, last, (float *)room_of(c, member));
		return;
	}
	for (int n = b->first + b->count - 1; n >= b->first; n--)
		if (c->bf) c->bf->weight_backward(c, b->c, n, first, last);
		else weight_backward(c, n, first, last);
}

static void finish_piece(const void *job, int piece, int member) {
	const struct ms_conv *c = ((const struct batch *)job)->c;
	const int pieces = pieces_of(c, c->ocb);
	dw_finish(c, ms_share(c->ocb, pieces, piece), ms_share(c->ocb, pieces, piece + 1));
}

static void weights_of(const struct batch *b) {
	ms_team_run(b->c->y.team, weight_piece, b, weight_pieces(b->c) + (b->d ? weight_pieces(b->d) : 0), 0);
}

// dy, the gradient of the weights and dx, for a group of images while their dy is in the cache.
static void group_backward(const struct batch *b) {
	const struct ms_conv *c = b->c;
	if (c->has_dx && c->y.team && b->parts == 1) { // what a thread makes of an image's dy it can use at once
		each_piece(b, dy_dx_piece, 1);
		weights_of(b);
		return;
	}
	if (c->bn) each_piece(b, dy_piece, 1);
	weights_of(b);
	if (c->has_dx) dx_of(b);
}

static void backward(const struct ms_conv *c, const struct ms_conv *d) {
	struct batch b = batch_of(c, d, 1);
	each_piece(&b, sums_piece, 0);
	ms_team_run(c->y.team, start_piece, &b, pieces_of(c, c->ocb), 0);
	for (const struct ms_conv *arm = c; arm; arm = arm == d ? NULL : d) {
		add_totals(arm);
		(arm->bn ? ms_bn_backward : ms_bias_backward)(arm);
	}
	for (int end = c->y.n; end > 0; end = b.first) {
		b.first = end > c->group ? end - c->group : 0;
		b.count = end - b.first;
		group_backward(&b);
	}
	if (winograd_dw(c)) ms_team_run(c->y.team, finish_piece, &b, pieces_of(c, c->ocb), 0);
}

static void conv_forward(const struct ms_conv *c, int train) { forward(c, NULL, train); }
static void conv_backward(const struct ms_conv *c) { backward(c, NULL); }
static void rep_forward(const struct ms_conv *c, const struct ms_conv *d, int train) { forward(c, d, train); }
static void rep_backward(const struct ms_conv *c, const struct ms_conv *d) { backward(c, d); }
