#!/usr/bin/env bash
# Optuna in both directions: Optuna 5.0 and 4.9 and optuna-dashboard read, continue and chart our databases, we continue
# and import theirs. Makes the Python environments if they are missing (.ci/optuna.sh). No part of it may be skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(.ci/optuna.sh)"
out=$("${GO:-go}" test -tags integration -count=1 -run Optuna -v ./trials/sqlite ./cmd/mapsweep 2>&1) || { echo "$out"; exit 1; }
echo "$out" | grep -E '^(=== RUN|--- |ok|PASS|FAIL)' || true
if grep -q -- '--- SKIP' <<<"$out"; then echo "a part of the Optuna tests was skipped"; exit 1; fi
for test in TestOptuna TestOptunaDeep TestOptunaBeside TestOptunaTogether TestOptunaDashboard; do
	for version in 5.0.0 4.9.0; do
		if ! grep -q -- "--- PASS: $test/$version" <<<"$out"; then echo "$test/$version did not run"; exit 1; fi
	done
done
