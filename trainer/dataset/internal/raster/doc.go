// Package raster holds the few operations on 8-bit pictures that data sets need: decode to RGB, crop, resize,
// letterbox, blur, rotate. Resampling follows Pillow's definitions to the last bit, so that data prepared
// here and data prepared by Python tools agree; testdata/pillow.py makes the fixtures that check it.
//
// It knows nothing of boxes, files or data sets. Start with Pic.
package raster
