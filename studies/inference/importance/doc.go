// Package importance says which parameters of a study mattered, alone and in pairs: functional ANOVA over a random
// forest, PED-ANOVA, ablation paths between two configurations, Shapley values and marginals.
//
// It is pure arithmetic over points and scores, the same on every run. A score is larger the better, or Problem says
// otherwise; a missing number is NaN. What the data cannot carry is an inference.Nothing: a sentence, and no number.
//
// Start with Fit (model.go): it encodes a Problem (encode.go) and grows a forest (forest.go), whose trees part the
// space into boxes (boxes.go). From these come shares (fanova.go) and marginals, and the predictions that a path walks
// along (path.go). PEDANOVA and Shapley need no forest.
package importance
