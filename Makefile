# mapsweep: see README.md. Two commands do everything: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

GO      ?= go
BIN     := bin/mapsweep
RUNS    ?= runs
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DIRTY   := $(shell test -z "$$(git status --porcelain 2>/dev/null)" || echo +changes)
LDFLAGS := -X main.commit=$(COMMIT)$(DIRTY)
STUDY   ?= quickstart

.PHONY: help build demo test check sanitize kernels test-cuda optuna bench bench-cuda bench-search bench-store bench-coco bench-train bench-epoch generate clean

help: ## show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build bin/mapsweep (needs Go 1.26 and gcc, no network)
	@mkdir -p bin
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/mapsweep

demo: build ## run the ablation study "quickstart" on embedded images and write its report
	$(BIN) run $(STUDY) --db $(RUNS)/mapsweep.db --out $(RUNS)

test: ## run the tests (no network, no GPU, no Python)
	$(GO) test ./...

check: ## everything that CI runs: format, vet, lint, import rules, generated files, tests, -race, the kill test, Optuna
	bash .ci/check.sh

sanitize: ## tests of the C kernels with the address and undefined-behaviour sanitizers of gcc
	GO='$(GO)' bash .ci/sanitize.sh

kernels: ## compile the CUDA kernels into kernels.fatbin with the pinned compiler (needs Python and its package index once, Linux on x86-64)
	bash .ci/kernels.sh

test-cuda: ## tests on this machine's GPU, in parts of under eight minutes (PART="kernels memcheck:kernels=1/4" runs some; needs a driver of CUDA 13)
	GO='$(GO)' bash .ci/cuda-test.sh build && bash .ci/cuda-test.sh test $(PART)

optuna: ## Optuna 5.0 and 4.9 and optuna-dashboard on our databases, and theirs here (makes Python environments in .venv)
	GO='$(GO)' bash .ci/optuna-test.sh

bench: ## run the benchmarks (see docs/BENCHMARKS.md for the peers)
	$(GO) test -run '^$$' -bench . -benchtime 1s ./...

bench-cuda: ## training steps and trials an hour on this machine's GPU against PyTorch, in parts of under eight minutes (PART="step:gelan-t@128=3"; a Python with PyTorch is MAPSWEEP_TORCH_PYTHON or python3)
	GO='$(GO)' bash .ci/cuda-test.sh build && bash .ci/cuda-test.sh bench $(PART)

bench-search: ## how good the best of 100 trials is against Optuna, goptuna and random search, and the front of two objectives (needs Python and its package index, about fifteen minutes)
	eval "$$(bash .ci/peers.sh)" && $(GO) test -tags peers -run '^Test(Search|Front)Quality$$' -v -count 1 -timeout 40m ./sweep/peers

bench-store: ## ask, record and tell through SQLite against Optuna and rustuna (needs Python and its package index, about ten minutes)
	eval "$$(bash .ci/peers.sh)" && $(GO) test -tags peers -run '^TestStore$$' -v -count 1 -timeout 40m ./sweep/peers

bench-coco: ## COCO AP of 5,000 images x 80 classes x 100 detections against pycocotools and faster-coco-eval, equal to 1e-9 (needs Python and its package index, about ten minutes)
	eval "$$(bash .ci/peers.sh)" && $(GO) test -tags peers -run '^TestCOCOPeers$$' -v -count 1 -timeout 40m ./trainer/evaluate

bench-train: ## training steps against PyTorch: eager, channels_last, compiled and bf16 (needs Python, its package index and an idle machine)
	eval "$$(bash .ci/torch.sh)" && $(GO) test -tags peers -run '^TestTrainStep$$' -v -count 1 -timeout 120m ./trainer/native/parity $(if $(BENCH),-args $(BENCH))

bench-epoch: ## whole epochs of BCCD against the official training script, YOLOV9_DIR (needs Python, its package index and an idle machine; about an hour)
	eval "$$(bash .ci/torch.sh)" && $(GO) test -tags peers -run '^TestEpoch$$' -v -count 1 -timeout 240m ./trainer/native/parity $(if $(BENCH),-args $(BENCH))

generate: ## renew generated files (JSON Schema, golden tables and charts)
	$(GO) test ./studies ./reports ./reports/tables ./reports/charts ./reports/html -regen

clean: ## remove build products and Python environments; recorded runs stay
	rm -rf bin .venv
