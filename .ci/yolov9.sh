#!/usr/bin/env bash
# Makes a Python environment that runs the official YOLOv9, if missing, and prints the variable that names its
# interpreter. The checkout is yours; then the tests against the real trainer run:
#   eval "$(.ci/yolov9.sh)" && YOLOV9_DIR=path/to/yolov9 go test -tags integration -timeout 60m ./trainer/yolov9/...
# .ci/yolov9.sh old makes the environment that needs none of the launcher's shims. Each takes about 6 GB of disk.
# Everything but the export line goes to stderr. Needs python3 with venv and a Python package index.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-new}" in
new)
	dir=.venv/yolov9 torch=2.15.0
	packages=(torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 setuptools==84.2.1 pillow==13.0.0 opencv-python-headless==5.0.0.93
		pandas==3.1.1 matplotlib==3.11.2 albumentations==2.0.8) ;;
old)
	dir=.venv/yolov9-old torch=2.5.1
	packages=(torch==2.5.1 torchvision==0.20.1 numpy==1.26.4 setuptools==75.8.0 pillow==9.5.0 opencv-python-headless==4.10.0.84
		pandas==2.2.3 matplotlib==3.8.4 albumentations==1.3.1) ;;
*)
	echo "usage: .ci/yolov9.sh [new|old]" >&2
	exit 2 ;;
esac
case "$("$dir/bin/python" -c 'import torch, cv2, seaborn, thop; print(torch.__version__)' 2>/dev/null)" in
"$torch"*) ;;
*)
	echo "making $dir with torch $torch" >&2
	rm -rf "$dir"
	mkdir -p "$(dirname "$dir")"
	python3 -m venv "$dir" >&2
	"$dir/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" seaborn scipy tensorboard ipython \
		PyYAML requests tqdm psutil gitpython thop pycocotools >&2 ;;
esac
echo "export YOLOV9_PYTHON='$PWD/$dir/bin/python'"
