// Package studies is what is asked: the study file, its strict decoding, its
// validation, and the JSON Schema for editors.
//
// It is pure: it reads bytes and returns values, and knows nothing of trainers
// (a backend's knobs are handed to Validate), samplers or stores. Start with
// Spec in spec.go. studies/design turns a Spec into points to run,
// studies/inference says what may be concluded, studies/diagnosis what curves
// tell, studies/shipped holds the studies that come with the binary.
package studies
