#!/usr/bin/env bash
# The tests and benchmarks that want a GPU, in parts that each end within eight minutes, from test programs built beforehand.
#   .ci/cuda-test.sh build               builds the test programs into bin/cuda (needs Go and gcc, no GPU)
#   .ci/cuda-test.sh list                names the parts
#   .ci/cuda-test.sh test [PART...]      runs parts, by default all, and says which failed
#   .ci/cuda-test.sh bench               runs the benchmarks
# A part is PACKAGE, memcheck:PACKAGE, racecheck:PACKAGE or initcheck:PACKAGE, as memcheck:cuda-kernel; the last three need
# compute-sanitizer and are left out where there is none. PART=i/n runs every n-th of a part's tests from the i-th on, as cuda-kernel=2/4.
# Tests find the GPU by MAPSWEEP_TEST_GPU=1. MAPSWEEP_TEST_GPU=0 runs over the emulator.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go} seconds=${SECONDS_A_PART:-470}
export MAPSWEEP_TEST_GPU=${MAPSWEEP_TEST_GPU:-1}

# Packages whose tests open a GPU, by the emulator's package; in the trainer's own only tests with GPU in their names do.
packages() { "$go" list -f '{{.Dir}} {{.TestImports}} {{.XTestImports}}' ./trainer/native/... | awk '{dir = $1; $1 = ""} /cuda\/(emulator|kernel\/kerneltest)/ {print dir}'; }
sanitized="cuda-kernel layers-gpu"

build() {
	rm -rf bin/cuda
	mkdir -p bin/cuda
	for dir in $(packages) "$PWD/trainer/native/cuda"; do
		local name=${dir#"$PWD/trainer/native"}
		name=${name#/}
		name=${name:-trainer}
		"$go" test -c -o "bin/cuda/${name//\//-}.test" "$dir"
		echo "$dir" >"bin/cuda/${name//\//-}.dir"
	done
}
parts() {
	local file name
	for file in bin/cuda/*.test; do
		name=$(basename "$file" .test)
		echo "$name"
		if [[ " $sanitized " == *" $name "* ]] && command -v compute-sanitizer >/dev/null; then
			printf '%s\n' "memcheck:$name" "racecheck:$name" "initcheck:$name"
		fi
	done
}
run() { # PART[=i/n]
	local part=${1%%=*} share=1/1 tool=() name pattern file
	[[ $1 == *=* ]] && share=${1#*=}
	name=${part#*:}
	file=$PWD/bin/cuda/$name.test
	[ -x "$file" ] || { echo "no part $part: run $0 build, then $0 list" >&2; return 2; }
	[[ $part == *:* ]] && tool=(compute-sanitizer --tool "${part%%:*}" --error-exitcode 1 --target-processes all)
	cd "$(cat "bin/cuda/$name.dir")"
	pattern=$("$file" -test.list "$([ "$name" = trainer ] && echo GPU || echo .)" | grep '^Test' | awk -v i="${share%/*}" -v n="${share#*/}" 'NR % n == i % n' | paste -sd '|')
	[ -n "$pattern" ] || { echo "no tests in $1"; return 0; }
	timeout -k 5 "$seconds" "${tool[@]}" "$file" -test.v -test.failfast=false -test.run "^($pattern)\$"
}

case "${1-}" in
build) build ;;
list) parts ;;
test)
	shift
	[ $# -gt 0 ] || mapfile -t all < <(parts)
	failed=()
	for part in "${@:-${all[@]}}"; do
		printf '\n== %s\n' "$part"
		(run "$part") || failed+=("$part")
	done
	command -v compute-sanitizer >/dev/null || echo "compute-sanitizer is not installed: memcheck, racecheck and initcheck were left out"
	[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
	;;
bench)
	for file in bin/cuda/*.test; do
		file=$PWD/$file
		pattern=$([ "${file##*/}" = trainer.test ] && echo GPU || echo .)
		(cd "$(cat "${file%.test}.dir")" && timeout -k 5 "$seconds" "$file" -test.run '^$' -test.bench "$pattern" -test.benchtime 1s)
	done
	;;
*)
	sed -n '2,9s/^# //p' "$0" >&2
	exit 2 ;;
esac
