// Package importance says which parameters of a search mattered, alone and in pairs: functional ANOVA over a random
// forest, PED-ANOVA, ablation paths between two configurations, Shapley values and marginals.
//
// It is pure arithmetic over points and scores. A score is larger the better, or Options say otherwise; a missing
// number is NaN.
package importance
