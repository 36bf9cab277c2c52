#!/usr/bin/env bash
# The tests of the C kernels with gcc's sanitizers: data races between the threads of a team, then the address and
# undefined-behaviour sanitizers: every access outside of a buffer, shift, overflow and conversion that C does not define
# ends the run. Needs gcc with libtsan, libasan and libubsan, as Debian's has.
set -euo pipefail
cd "$(dirname "$0")/.."
CGO_CFLAGS="-g1 -fsanitize=thread" CGO_LDFLAGS="-fsanitize=thread" TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1} \
	"${GO:-go}" test -tags sanitize -run "TestTeam$|Threads|WinogradRep" -count 1 -timeout 20m ./trainer/native/kernels ./trainer/native/layers/cpu
export CGO_CFLAGS="-g1 -fsanitize=undefined -fno-sanitize-recover=all --param asan-instrumentation-with-call-threshold=0"
export CGO_LDFLAGS="-fsanitize=undefined"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0} # Go ends without freeing what it holds
# Left out: a long sum over layers that other tests check one by one, and one without C.
exec "${GO:-go}" test -asan -tags sanitize -skip "TestNetGradient|TestReferenceGradient" -count 1 -timeout 20m "$@" ./trainer/native/kernels
