// Package augment makes training samples: mosaics of four or nine, pasted objects, mixed pictures, zooms, turns and
// tilts, RandAugment and AutoAugment, colour changes and flips. Every operation draws from its own stream, keyed (seed,
// epoch, position in the epoch, operation), so switching one off leaves the decisions of all others as they were, and a
// sample can be made again alone.
//
// A sample is decided in this order: mosaic (mosaic.go), mirrored polygons and pasted boxes (paste.go), view (view.go),
// mixup (compose.go), policy (policy.go), colour (colour.go, hsv.go) and flips, another side (side.go). Boxes follow at
// once; what happens to pixels is written to a recipe (recipe.go), which is then rendered in the same order (render.go), here
// or on another device. Box-pasting takes the background along; outlined objects are pasted without it. HSV is a linear
// stand-in, a turn about the grey axis, unless the exact one is asked for.
//
// It knows nothing of models, batches or epochs beyond their number as a key. Start with New, Augmenter.Sample and Recipe.
package augment
