#!/usr/bin/env bash
# Everything that must hold before a change lands. Installs what it needs; needs Go, gcc, make, git and,
# for the CUDA compiler and the Optuna part, Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }
ours() { git ls-files -co --exclude-standard -- "$@" ':!vendor'; }

step "format"
unformatted=$(ours '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then echo "not gofmt-formatted:"; echo "$unformatted"; exit 1; fi

step "vet"
go vet ./...

step "lint (staticcheck)"
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

step "import rules"
.ci/imports.sh

step "vendored CUDA header"
cmp trainer/native/cuda/include/cuda.h vendor/gorgonia.org/cu/cuda.h

step "CUDA kernels are what the pinned compiler makes of their sources, within their limits"
.ci/kernels.sh --check

step "our declarations of the CUDA driver are NVIDIA's"
.ci/cuda-headers.sh

step "build without cgo's GPU door"
CGO_ENABLED=0 go build ./trainer/native/cuda/...

step "tests"
make test

step "sanitizers on the C kernels"
make sanitize

step "CUDA kernels over the emulator with the address and undefined-behaviour sanitizers"
ASAN_OPTIONS=detect_leaks=0 go test -asan -count=1 -timeout 20m ./trainer/native/cuda/kernel

step "CUDA kernels and training steps over the emulator with its race detector"
EMULATOR_RACES=1 go test -count=1 -timeout 20m ./trainer/native/cuda/kernel ./trainer/native/layers/gpu
EMULATOR_RACES=1 go test -count=1 -timeout 20m -run 'TestGPUTrainsInBF16' ./trainer/native

step "race detector"
go test -race -short ./trials/... ./studies/... ./sweep/... ./trainer ./trainer/command ./trainer/yolov9/... ./trainer/telemetry ./trainer/internal/... ./trainer/dataset/... ./reports

step "16 processes, one of which after another is killed"
go test -tags soak -count=1 -run TestKillSwarmFull -v ./trials/sqlite

step "Optuna 5.0 and 4.9 read, continue and chart our database, and we theirs"
make optuna

step "done"
