#!/usr/bin/env bash
# Installs the pinned CUDA compiler (.ci/nvcc.txt: 100 MB to load, 290 MB on disk), if missing, and prints the variable that names
# its folder:  eval "$(.ci/nvcc.sh)" && "$MAPSWEEP_CUDA_TOOLKIT/bin/nvcc" --version
# Everything but the export line goes to stderr. Needs python3 with venv and a Python package index; once installed, neither.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=.venv/cuda
fail() {
	echo "nvcc.sh: $*" >&2
	echo "nvcc.sh: only who edits CUDA kernels needs the compiler: builds and tests use the committed kernels.fatbin" >&2
	exit 1
}
if [ "$(uname -sm)" != "Linux x86_64" ]; then
	fail "the pinned CUDA compiler is for Linux on x86-64, this is $(uname -sm)"
fi
tree() { compgen -G "$dir/lib/python3*/site-packages/nvidia/cu13"; }
if ! cmp -s .ci/nvcc.txt "$dir/installed.txt" || ! "$(tree)/bin/nvcc" --version >/dev/null 2>&1; then
	echo "installing the CUDA compiler into $dir" >&2
	rm -rf "$dir"
	mkdir -p "$(dirname "$dir")"
	command -v python3 >/dev/null || fail "cannot install the CUDA compiler: there is no python3"
	python3 -m venv "$dir" >&2 || fail "cannot install the CUDA compiler: python3 -m venv failed (on Debian: apt install python3-venv)"
	"$dir/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r .ci/nvcc.txt >&2 ||
		fail "cannot install the CUDA compiler: pip could not load the packages of .ci/nvcc.txt from its package index"
	"$(tree)/bin/nvcc" --version >/dev/null || fail "the CUDA compiler was installed, but does not start"
	cp .ci/nvcc.txt "$dir/installed.txt"
fi
echo "export MAPSWEEP_CUDA_TOOLKIT='$PWD/$(tree)'"
