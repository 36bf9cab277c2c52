// Package shipped holds the pictures, boxes and digits that are embedded into the binary: three airborne
// pictures with hand-drawn tree crowns, and small handwritten digits. README.md names sources and licences.
//
// It knows nothing of data sets, splits or training: it decodes raw material and hands it out.
// Start with Pictures and Digits.
package shipped
