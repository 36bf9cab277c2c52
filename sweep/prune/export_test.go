package prune

// SignedRank is for the test of its arithmetic.
var SignedRank = signedRank
