// Package graph holds the description of a network and its differentiation: what is computed, in which order, and
// where each activation and gradient lies relative to the others. It knows no device, no kernel and no single layer.
//
// Gorgonia builds the expression graph, checks types and shapes, and differentiates it; this package supplies what
// flows through that graph:
//
//   - A node's value is a [Tensor] descriptor, never data. Executors move descriptors; data lies in buffers of a device.
//   - A gradient node is a scalar token meaning "this contribution is in the buffer". Every forward operation has
//     exactly one backward node, which returns its token for all of its inputs and parameters; where a tensor has
//     several readers Gorgonia adds tokens, and so joins the readers. Contributions accumulate in our buffers: the
//     first writes, later ones add ([Contribution]). Each backward node also takes the previous node on the same
//     buffer as an input, so that no order is left to chance.
//   - Storage is planned before it is allocated: a [Place] says "channel blocks from Block on in the buffer of
//     Owner". Concatenations, splits and sums share buffers where that is safe ([Planner]).
//
// The product executes the static order of [Graph.Forward] and [Graph.Backward], obtained by sorting the
// differentiated graph, through a [Device]. [NewTape] runs the same nodes in Gorgonia's TapeMachine; the two agree
// bit for bit, and tests hold them to it.
//
// Legend for the whole package: N images of a batch, C channels, H and W pixels. Channels are stored in blocks of
// [Block] channels.
//
// Start reading at [Builder], then [Op], then [Graph].
package graph
