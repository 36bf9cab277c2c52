package yolov9

// Backend trains with a checkout of the official code.
type Backend struct{}
