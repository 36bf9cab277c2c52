// What of a loss is set for a run, in device memory, so that captured steps serve runs with other settings. loss_settings.go has
// the same struct.
#pragma once

#include "port.cuh"

struct LossSettings {
	double gain_box, gain_cls, gain_dfl; // loss.Gains
	double weight;                       // of the head: 1 for the main one
	double smoothing, positive, gamma;   // loss.Classes: Smoothing, Weight, Gamma
	double alpha, beta;                  // assign.Method
};
