package studies

import (
	"crypto/sha256"
	"encoding/hex"
)

// confirmSuffix ends the name of a study that confirms a search.
const confirmSuffix = "-confirm"

// ConfirmName is the name of the study that confirms a search: STUDY-confirm. Where that were too long for a name, a hash
// stands for the end of the search's.
func ConfirmName(search string) string {
	const longest = 64
	if len(search)+len(confirmSuffix) <= longest {
		return search + confirmSuffix
	}
	sum := sha256.Sum256([]byte(search))
	return search[:longest-len(confirmSuffix)-9] + "-" + hex.EncodeToString(sum[:4]) + confirmSuffix
}

// VariantFactors are the knobs that the variants of a study change, as design variants has them under Factors.
func VariantFactors(baseline map[string]any, vs []Variant) []Factor {
	return variantFactors(baseline, vs)
}
