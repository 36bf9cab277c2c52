// Package stream makes counter-based random streams: each is addressed by (seed, epoch, position, operation)
// and owes nothing to what was drawn from any other. So a decision that is switched off leaves every
// other decision as it was, a sample can be made again alone, and the order of work does not matter.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3",
// SC 2011). The seed is its key; epoch, position and operation are three words of its counter and the fourth
// counts blocks. Different addresses therefore give disjoint parts of one bijection: no two of them share a block.
//
// It knows nothing of pictures or training. Start with New; where streams are made by the thousand, keep
// one Source and Reset it.
package stream
