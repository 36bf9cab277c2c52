// What one training step is told, decides and reports, in device memory. step.go has the same structs.
#pragma once

#include "port.cuh"

// StepInput is what the host says about one step: a slot of the ring in pinned memory.
struct StepInput {
	unsigned long long number; // of the step, from 0 when the ring was made
	float rate[2];             // learning rate of weights and of biases; of Adam and AdamW over 1 - beta1^n
	float keep[2];             // AdamW and LION: what weights that decay are multiplied with, at either rate
	float momentum;            // SGD
	float root;                // Adam and AdamW: sqrt(1 - beta2^n)
	float average;             // how far the moving average goes towards the weights, 0..1
	int move;                  // 0: gradients of this batch are summed only
	double clip;               // the largest norm of the gradients; 0: any
	float decay;               // SGD: weight decay; Adam: decay that is added to the gradient
	float fresh;               // Adam, AdamW and LION: 1 - beta1
	unsigned pad_[18];
};
static_assert(sizeof(StepInput) == 128, "a warp reads 4 bytes a lane");

constexpr int MAX_LOSSES = 12; // doubles that a step reports

// StepResult is what the host reads of a finished step, from the ring.
struct StepResult {
	unsigned long long number;
	double norm;    // of the gradients before clipping; 0 where weights were not to move
	int moved;      // it was a step after which weights move
	int halted;     // 0; 1: a loss is not finite; 2: the norm is not. It stays so in all steps after
	int idle;       // a step before was not finite: this one has changed nothing
	int pad_;
	double losses[MAX_LOSSES];
};
static_assert(sizeof(StepResult) == 128, "a warp writes 4 bytes a lane");

// StepState is the step under way.
struct StepState {
	StepInput in;
	unsigned long long begun; // steps, this one among them
	double norm;
	float factor;             // that gradients are multiplied with, so that their norm is clipped
	int halted, idle, moved;  // as in StepResult
	int finite;               // weights move: moved, and the norm is finite
	unsigned arrived;         // blocks that have added up their gradients
};

// The losses of a step: doubles in device memory, up to MAX_LOSSES together.
struct Losses {
	const double *p[2];
	int n[2];
};

__device__ __forceinline__ bool all_finite(double v) { return fabs(v) <= 1.7976931348623157e308; }

__device__ __forceinline__ bool all_finite(const Losses &l) {
	bool ok = true;
#pragma unroll
	for (int part = 0; part < 2; part++)
		for (int i = 0; i < l.n[part]; i++)
			ok = ok && all_finite(l.p[part][i]);
	return ok;
}
