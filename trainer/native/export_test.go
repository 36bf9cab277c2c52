package native

// BestF1 is bestF1, for its test.
var BestF1 = bestF1
