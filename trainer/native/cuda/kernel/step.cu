// Beginning and end of a training step. A captured step is the same in every launch, so what changes comes by a ring of slots
// in pinned host memory, read here first, and results go into such a ring last.
#include "step.cuh"

struct StepBeginArgs {
	StepState *state;
	const StepInput *inputs; // [slots], pinned
	int slots, pad_;
};

// One warp, which reads the slot at once.
KERNEL(step_begin, StepBeginArgs, 32) {
	StepState *s = a.state;
	const unsigned long long step = s->begun;
	const volatile uint32_t *from = reinterpret_cast<const volatile uint32_t *>(a.inputs + step % a.slots);
	reinterpret_cast<uint32_t *>(&s->in)[threadIdx.x] = from[threadIdx.x];
	__syncwarp();
	if (threadIdx.x == 0) {
		s->begun = step + 1;
		s->norm = 0;
		s->factor = 0;
		s->idle = s->halted != 0;
		s->moved = 0;
		s->finite = 0;
		s->arrived = 0;
	}
}

struct StepEndArgs {
	const StepState *state;
	StepResult *results; // [slots], pinned
	Losses losses;
	int slots, pad_;
};

// One warp, which writes the slot at once.
KERNEL(step_end, StepEndArgs, 32) {
	SHARED(StepResult, r, 1);
	const StepState *s = a.state;
	const int lane = threadIdx.x;
	if (lane == 0) {
		r->number = s->in.number == s->begun - 1 ? s->in.number : ~0ull; // where input and launches do not match
		r->norm = s->norm;
		r->moved = s->moved;
		r->halted = s->halted;
		r->idle = s->idle;
		r->pad_ = 0;
	}
	if (lane < MAX_LOSSES) {
		const int second = lane - a.losses.n[0];
		r->losses[lane] = second < 0 ? a.losses.p[0][lane] : second < a.losses.n[1] ? a.losses.p[1][second] : 0;
	}
	__syncwarp();
	StepResult *to = a.results + (s->begun - 1) % a.slots;
	reinterpret_cast<volatile uint32_t *>(to)[lane] = reinterpret_cast<const uint32_t *>(r)[lane];
}
