// Package loss is the detection loss and its gradient, in plain Go on dense arrays:
// CIoU for boxes, distribution focal loss for their sides and binary cross-entropy
// for classes, over the targets of package assign. It knows nothing of networks,
// layouts, optimisers or pictures. Heads (loss.go) is what a network hands over;
// start with Loss.Compute (compute.go).
package loss
