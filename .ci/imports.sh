#!/usr/bin/env bash
# Checks the imports between our own packages against .ci/imports.txt.
# The most specific rule holds; a package without a rule is an error, so that a new room is decided, not drifted into.
set -euo pipefail
cd "$(dirname "$0")/.."
mod=$(go list -m)
go list -f '{{.ImportPath}}{{range .Imports}} {{.}}{{end}}' ./... | awk -v mod="$mod/" '
function fits(pkg, pat,   p) {
	if (pat == "...") return 1
	if (pat ~ /\/\.\.\.$/) { p = substr(pat, 1, length(pat) - 3); return index(pkg, p) == 1 }
	return pkg == pat
}
FNR == NR {
	if ($0 ~ /^[ \t]*(#|$)/) next
	split($0, half, ":"); gsub(/[ \t]/, "", half[1])
	n++; pat[n] = half[1]; allow[n] = half[2]; next
}
{
	pkg = substr($1, length(mod) + 1); best = 0; len = -1
	for (i = 1; i <= n; i++) if (fits(pkg, pat[i])) {
		l = (pat[i] ~ /\.\.\.$/) ? length(pat[i]) - 3 : 1000
		if (l > len) { len = l; best = i }
	}
	if (!best) { print pkg ": no rule in .ci/imports.txt"; bad = 1; next }
	m = split(allow[best], ok, /[ \t]+/)
	for (k = 2; k <= NF; k++) {
		if (index($k, mod) != 1) continue
		imp = substr($k, length(mod) + 1); found = 0
		for (j = 1; j <= m; j++) if (ok[j] != "" && fits(imp, ok[j])) found = 1
		if (!found) { print pkg " must not import " imp; bad = 1 }
	}
}
END { if (bad) exit 1; print "imports: every package keeps to .ci/imports.txt" }
' .ci/imports.txt -
