// Package axis maps parameters to the unit interval and back, for samplers that draw points of the unit
// cube whatever the parameters are: floats and ints, linear or logarithmic, with or without a step, and choices.
//
// It knows one point at a time: no trials, no objectives, no random numbers. Start with Axis.Value.
package axis
