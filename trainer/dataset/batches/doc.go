// Package batches makes training batches ahead of the step that needs them: any number of goroutines, each with an
// augmenter of its own, fill a few buffers, and batches come out in their order. A batch is a pure function of its
// Request, so results are the same for any number of goroutines, and with none. It holds pictures, or recipes of them for a
// device that makes the pictures itself (recipes.go).
//
// It knows nothing of models or schedules. Start with Start, or Inline, and Loader.Next.
package batches
