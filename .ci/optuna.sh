#!/usr/bin/env bash
# Makes the two Python environments of the Optuna integration test, if missing, and prints the variables that
# name their interpreters:  eval "$(.ci/optuna.sh)" && go test -tags integration -run Optuna ./trials/sqlite ./cmd/mapsweep
# Everything but the two export lines goes to stderr. Needs python3 with venv and a Python package index.
set -euo pipefail
cd "$(dirname "$0")/.."

dashboard=0.21.0

environment() { # directory, Optuna's version
	local dir=$1 version=$2
	if [ "$("$dir/bin/python" -c 'import matplotlib, pandas, sklearn, optuna_dashboard, optuna; print(optuna.__version__, optuna_dashboard.__version__)' 2>/dev/null)" != "$version $dashboard" ]; then
		echo "making $dir with optuna $version and optuna-dashboard $dashboard" >&2
		rm -rf "$dir"
		mkdir -p "$(dirname "$dir")"
		python3 -m venv "$dir" >&2
		"$dir/bin/pip" install --quiet --disable-pip-version-check "optuna==$version" "optuna-dashboard==$dashboard" matplotlib pandas scikit-learn >&2
	fi
}

environment .venv/optuna5 5.0.0
environment .venv/optuna4 4.9.0
echo "export MAPSWEEP_OPTUNA5_PYTHON='$PWD/.venv/optuna5/bin/python'"
echo "export MAPSWEEP_OPTUNA4_PYTHON='$PWD/.venv/optuna4/bin/python'"
