#!/usr/bin/env bash
# The tests and benchmarks that want a GPU, in parts that each end within eight minutes, from programs built beforehand.
#   .ci/cuda-test.sh build               builds the programs into bin/cuda (needs Go and gcc, no GPU)
#   .ci/cuda-test.sh pack                the same, as bin/cuda.tgz for another machine (54 MiB), where test and bench unpack it
#   .ci/cuda-test.sh list                names the parts, with what each shows
#   .ci/cuda-test.sh test [PART...]      runs tests, by default all; a line for each goes into cuda-test.txt
#   .ci/cuda-test.sh bench [PART...]     runs benchmarks, by default all; what they print goes into cuda-bench.txt too
# Parts of tests are those of the list; PACKAGE, as cuda-kernel, for all tests of a program in bin/cuda; and TOOL:PART for
# memcheck, racecheck, initcheck or synccheck of compute-sanitizer over a part. PART=i/n runs every n-th of its tests from the i-th on, as
# memcheck:kernels=2/4. pdl:PART is a part with dependent launches (MAPSWEEP_PDL=1), on a GPU of compute capability 9.0.
# Tests find the GPU by MAPSWEEP_TEST_GPU=1, which is the default. MAPSWEEP_TEST_GPU=0 runs over the emulator, to see that the script works.
# RESULTS names another folder than bin/cuda for the two files. BENCH_ARGS are more flags for benchmarks of steps and of the ablation.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go} seconds=${SECONDS_A_PART:-470} results=${RESULTS:-bin/cuda}
export MAPSWEEP_TEST_GPU=${MAPSWEEP_TEST_GPU:-1}

# NAME PROGRAM TESTS WHAT IT SHOWS
named="
symbols   cuda        ^TestDriverLacksNothingGPU\$ the driver has every function that is called
kernels   cuda-kernel .                            every kernel against the CPU on random shapes
networks  layers-gpu  .                            float32: loss and gradients of random networks of all layers
gradients trainer     ^TestGradientsGPU\$          float32: loss and gradients of whole detectors are the CPU's
losses    trainer     ^TestGPUTrainsAsCPU\$        float32: a run learns what it learns on the CPU
bf16      trainer     ^TestBFloat16CurveGPU\$      bf16: curves within the noise of float32
abreast   trainer     ^Test(TwoAtOnceGPU|TrialsShareAGPU)\$ two trials at once give what they give alone
kills     trainer     ^Test(KillsGPU|GPUResumes)\$ ten kills, gone on with, and a stop within an epoch: the same bits
pdl       trainer     ^TestDependentStepsGPU\$    steps by dependent launches: the bits of plain ones"
# Once more with dependent launches, which are off unless asked for.
early="pdl:kernels pdl:networks pdl:gradients pdl:abreast pdl:kills"
# Under a sanitizer kernels are slow: quarters of their tests.
sanitized="memcheck:kernels=1/4 memcheck:kernels=2/4 memcheck:kernels=3/4 memcheck:kernels=4/4 memcheck:networks memcheck:gradients
racecheck:kernels=1/4 racecheck:kernels=2/4 racecheck:kernels=3/4 racecheck:kernels=4/4 racecheck:networks racecheck:gradients
initcheck:kernels=1/4 initcheck:kernels=2/4 initcheck:kernels=3/4 initcheck:kernels=4/4 initcheck:gradients"
# NETWORK@PIXELS=GOAL: how many times as fast as the best of PyTorch.
benched="step:gelan-t@128=3 step:gelan-t@320=3 step:gelan-t@640=1 step:gelan-s@640=1 ablation launches"

# Packages whose tests open a GPU, by the emulator's package; in the trainer's own only tests with GPU in their names do.
packages() { "$go" list -f '{{.Dir}} {{.TestImports}} {{.XTestImports}}' ./trainer/native/... | awk '{dir = $1; $1 = ""} /cuda\/(emulator|kernel\/kerneltest)/ {print dir}'; }

build() {
	rm -rf bin/cuda
	mkdir -p bin/cuda
	for dir in $(packages) "$PWD/trainer/native/cuda"; do
		local name=${dir#"$PWD/trainer/native"}
		name=${name#/}
		name=${name:-trainer}
		"$go" test -c -tags peers -ldflags '-s -w' -o "bin/cuda/${name//\//-}.test" "$dir"
		echo "${dir#"$PWD/"}" >"bin/cuda/${name//\//-}.dir"
	done
	"$go" build -ldflags '-s -w' -o bin/cuda/mapsweep ./cmd/mapsweep
}
# Whether the first GPU has dependent launches; the emulated one does.
dependent() { [ "$MAPSWEEP_TEST_GPU" != 1 ] || [ "$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1)" = 9.0 ]; }
unpack() { [ -d bin/cuda ] || [ ! -f bin/cuda.tgz ] || tar -xzf bin/cuda.tgz; }
programs() { for file in bin/cuda/*.test; do basename "$file" .test; done; }
others() { programs | grep -vxE 'cuda-kernel|layers-gpu'; } # whole programs beside the named parts
parts() {
	awk 'NF {print $1}' <<<"$named"
	others
	if dependent; then xargs -n1 <<<"$early"; fi
	if command -v compute-sanitizer >/dev/null; then xargs -n1 <<<"$sanitized"; fi
}
list() {
	awk 'NF {name = $1; sub(/^ *[^ ]+ +[^ ]+ +[^ ]+ +/, ""); printf "%-24s %s\n", name, $0}' <<<"$named"
	others | awk '{printf "%-24s %s\n", $1, $1 == "trainer" ? "the other tests of trainer/native with GPU in their names" : "all tests of that package"}'
	if dependent; then xargs -n1 <<<"$early"; else echo "(no GPU of compute capability 9.0: no pdl:kernels and others)"; fi
	if command -v compute-sanitizer >/dev/null; then xargs -n1 <<<"$sanitized"; else echo "(compute-sanitizer is not installed: no memcheck, racecheck, initcheck)"; fi
	printf 'bench: %s\n' $benched
}
# test_of PART prints program and pattern of tests of a part without tool and share.
test_of() {
	local row rest
	row=$(awk -v name="$1" '$1 == name {print $2, $3}' <<<"$named")
	if [ -z "$row" ]; then
		rest=.
		[ "$1" = trainer ] && rest=GPU
		row="$1 $rest"
	fi
	echo "$row"
}
taken() { awk '$2 == "trainer" {print substr($3, 2, length($3) - 2)}' <<<"$named" | paste -sd '|'; } # by named parts

run() { # [TOOL:]PART[=i/n]
	local part=${1%%=*} share=1/1 tool=() name pattern file
	[[ $1 == *=* ]] && share=${1#*=}
	read -r name pattern <<<"$(test_of "${part#*:}")"
	file=$PWD/bin/cuda/$name.test
	[ -x "$file" ] || { echo "no part $part: run $0 build, then $0 list" >&2; return 2; }
	if [[ $part == pdl:* ]]; then
		dependent || { echo "no GPU of compute capability 9.0"; return 0; }
		export MAPSWEEP_PDL=1 FAKE_CUDA_CAPABILITY=90
	elif [[ $part == *:* ]]; then
		command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not installed"; return 0; }
		tool=(compute-sanitizer --tool "${part%%:*}" --error-exitcode 1 --target-processes all)
	fi
	cd "$(cat "bin/cuda/$name.dir")"
	pattern=$("$file" -test.list "$pattern" | grep '^Test' | { if [ "$part" = trainer ]; then grep -vxE "$(taken)|TestStepGPU|TestAblationGPU"; else cat; fi; } |
		awk -v i="${share%/*}" -v n="${share#*/}" 'NR % n == i % n' | paste -sd '|') || true
	[ -n "$pattern" ] || { echo "no tests in $1"; return 0; }
	timeout -k 5 "$seconds" "${tool[@]}" "$file" -test.v -test.failfast=false -test.run "^($pattern)\$"
}
# report PART STATUS SECONDS LOG appends a line: part, verdict, seconds, counts of tests.
report() {
	local passed failed skipped verdict=passed
	passed=$(grep -c '^--- PASS' "$4" || true) failed=$(grep -c '^--- FAIL' "$4" || true) skipped=$(grep -c '^--- SKIP' "$4" || true)
	case $2 in
	0) [ "$passed" -gt 0 ] || verdict="left out" ;;
	124 | 137) verdict="out of time" ;;
	*) verdict=FAILED ;;
	esac
	printf '%-26s %-12s %5d s   %d passed, %d failed, %d skipped\n' "$1" "$verdict" "$3" "$passed" "$failed" "$skipped" >>"$results/cuda-test.txt"
	[ "$2" = 0 ]
}
where() {
	if [ "$MAPSWEEP_TEST_GPU" = 1 ]; then
		nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "a GPU without nvidia-smi"
	else
		echo "EMULATED, no GPU: it only shows that the script works"
	fi
}
tests() {
	local all=("$@") failed=() log=$results/part.log start status
	[ $# -gt 0 ] || mapfile -t all < <(parts)
	mkdir -p "$results"
	printf '# %s, commit %s, %s\n' "$(date -u +%F)" "$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" "$(where)" >>"$results/cuda-test.txt"
	for part in "${all[@]}"; do
		printf '\n== %s\n' "$part"
		start=$(date +%s) status=0
		(run "$part") 2>&1 | tee "$log" || status=$?
		report "$part" "$status" $(($(date +%s) - start)) "$log" || failed+=("$part")
	done
	rm -f "$log"
	if ! command -v compute-sanitizer >/dev/null; then
		echo "memcheck, racecheck and initcheck were left out: compute-sanitizer is not installed" | tee -a "$results/cuda-test.txt"
	fi
	printf '\n%s/cuda-test.txt:\n' "$results"
	cat "$results/cuda-test.txt"
	[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
}
bench_one() {
	local file=$PWD/bin/cuda/trainer.test part=$1 goal=0
	[[ $part == *=* ]] && goal=${part#*=} part=${part%%=*}
	[ -x "$file" ] || { echo "no programs: run $0 build" >&2; return 2; }
	case $part in
	step:*)
		part=${part#step:}
		cd trainer/native
		timeout -k 5 "$seconds" "$file" -test.v -test.run '^TestStepGPU$' -network "${part%@*}" -size "${part#*@}" -goal "$goal" ${BENCH_ARGS:-} ;;
	ablation)
		cd trainer/native
		timeout -k 5 "$seconds" "$file" -test.v -test.run '^TestAblationGPU$' -binary ../../bin/cuda/mapsweep ${BENCH_ARGS:-} ;;
	launches)
		for name in $(others) cuda-kernel layers-gpu; do
			[ "$name" = trainer ] || (cd "$(cat "bin/cuda/$name.dir")" && timeout -k 5 "$seconds" "$OLDPWD/bin/cuda/$name.test" -test.run '^$' -test.bench . -test.benchtime 1s)
		done ;;
	*)
		echo "no benchmark $part: there are $benched" >&2
		return 2 ;;
	esac
}
benches() {
	local all=("$@") failed=()
	[ $# -gt 0 ] || read -ra all <<<"$benched"
	mkdir -p "$results"
	printf '# %s, commit %s, %s\n' "$(date -u +%F)" "$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" "$(where)" >>"$results/cuda-bench.txt"
	for part in "${all[@]}"; do
		printf '\n== %s\n' "$part" | tee -a "$results/cuda-bench.txt"
		(bench_one "$part") 2>&1 | tee -a "$results/cuda-bench.txt" || failed+=("$part")
	done
	[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
}

command=${1-}
[ $# -eq 0 ] || shift
case $command in
build) build ;;
pack) build && tar -czf bin/cuda.tgz bin/cuda ;;
list) unpack && list ;;
test) unpack && tests "$@" ;;
bench) unpack && benches "$@" ;;
*)
	sed -n '2,14s/^# //p' "$0" >&2
	exit 2 ;;
esac
