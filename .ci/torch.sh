#!/usr/bin/env bash
# Makes the Python environment of the comparisons with PyTorch (trainer/native/parity), if missing, and prints the variable
# that names its interpreter:  eval "$(.ci/torch.sh)" && go test -tags integration -v ./trainer/native/parity
# It takes about 6 GB of disk. Everything but the export line goes to stderr. Needs python3 with venv and a Python package
# index. With YOLOV9_DIR set to a checkout of the official code the tests compare with that too.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=.venv/torch
packages=(torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 setuptools==84.2.1 safetensors==0.8.0 onnx==1.23.2 onnxruntime==1.32.0 pycocotools==2.0.11
	PyYAML opencv-python-headless==5.0.0.93 pillow==13.0.0 pandas==3.1.1 matplotlib==3.11.2 seaborn scipy tensorboard ipython
	requests tqdm psutil gitpython thop packaging==26.4)
if [ "$(cat "$dir/packages" 2>/dev/null)" != "${packages[*]}" ] || ! "$dir/bin/python" -c 'import numpy' 2>/dev/null; then # another Python since
	echo "making $dir with ${packages[*]}" >&2
	rm -rf "$dir"
	mkdir -p "$(dirname "$dir")"
	python3 -m venv "$dir" >&2
	"$dir/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
	echo "${packages[*]}" >"$dir/packages"
fi
echo "export MAPSWEEP_TORCH_PYTHON='$PWD/$dir/bin/python'"
