// Package assign decides which anchor points learn which object: task-aligned
// assignment as in TOOD (Feng et al. 2021, arXiv:2108.07755), in the form that the
// YOLO family uses. It works on one picture's dense arrays in plain Go, knows
// nothing of heads, gradients or data sets, and allocates nothing once its buffers
// have grown. Start with Assigner; ciou.go holds the overlap that both the
// assignment and the box loss are made of.
//
// Legend of all files: A anchor points, K classes, M objects of one picture; boxes are
// corners x0, y0, x1, y1 in pixels of the network's input, x to the right, y down.
package assign
