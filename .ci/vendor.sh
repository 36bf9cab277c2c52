#!/usr/bin/env bash
# Renews vendor/ from go.mod and puts our declarations-only cuda.h back, which `go mod vendor` wipes.
set -euo pipefail
cd "$(dirname "$0")/.."
go mod tidy
go mod vendor
if [ -f trainer/native/cuda/include/cuda.h ]; then
	cp trainer/native/cuda/include/cuda.h vendor/gorgonia.org/cu/cuda.h
fi
