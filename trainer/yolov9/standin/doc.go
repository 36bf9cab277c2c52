// Package standin plays the official YOLOv9 for tests: a program that takes the place of Python, reads the plans
// of the launcher, and writes what the official scripts write, in milliseconds and without training anything.
//
// Its scores are a formula of the hyper-parameters and the seed. A script (Rule) makes chosen trials crash, hang,
// diverge, run out of memory, or die between a row and its checkpoint. It is not built into mapsweep. Start with
// Main; Checkout makes a folder that looks like a checkout.
package standin
