#!/usr/bin/env bash
# Holds what we declare of NVIDIA's libraries against NVIDIA's own headers: types of functions, layout of structs, values, and the
# names of symbols. A difference is a static assertion of g++ that fails and names it.
#   .ci/cuda-headers.sh        the driver: our cuda.h, calls in C files, numbers in C and Go files (the headers come with the pinned compiler)
#   .ci/cuda-headers.sh all    cuDNN and NCCL as well, and that the libraries export what we look up: 820 MB to load the first time
# MAPSWEEP_LIBCUDA may name a libcuda.so.1 whose symbols are looked at, too. No GPU is needed, and no driver.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "cuda-headers.sh: $*" >&2; exit 1; }
eval "$(.ci/nvcc.sh)"

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
check() { # SOURCE FOLDER INCLUDE...: compiles with the lists in a folder
	local source=$1 lists=$2
	shift 2
	g++ -std=c++17 -fsyntax-only -Wall -I"$lists" -I.ci/cuda-headers -I. "${@/#/-I}" ".ci/cuda-headers/$source"
}
macro() { awk -v start="#define $1(F)" 'index($0, start) == 1 { on = 1 } on { print } on && !/\\$/ { exit }' "$2"; } # NAME FILE: a list of functions
# numbers FILE...: "name = 1, // THEIRS", or in Go "1: words, // THEIRS", as assertions
numbers() {
	sed -nE 's@^.*[^0-9A-Za-z_]([0-9]+)[),]*[[:space:]]+// ((CU|CUDA|CUDNN)_[A-Z0-9_]+( \| CU_[A-Z0-9_]+)*|nccl[A-Z][A-Za-z0-9]*)(:.*)?$@static_assert(\1 == (long long)(\2), "\2");@p
		s@^[[:space:]]*([0-9]+):.*// (CUDA_[A-Z0-9_]+)$@static_assert(\1 == (long long)(\2), "\2");@p' "$@"
}

# exports FILE SYMBOL...: the library has them all. It is not loaded: cuDNN ends a process without a GPU that asks it anything.
exports() {
	local library=$1 missing
	shift
	missing=$(comm -13 <(nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u) <(printf '%s\n' "$@" | sort -u))
	[ -z "$missing" ] || fail "$library lacks" $missing
}

# The driver.
cuda=trainer/native/cuda
header=$cuda/include/cuda.h
l=$room/cuda
mkdir "$l"
words=$(sed -E '/^#define MAPSWEEP_CUDA_FUNCTIONS/,$d; /^#define/d; s@/\*.*\*/@@' "$header" | grep -oE '\b(CU[A-Za-z]*_?[A-Za-z0-9_]*|cuuint32_t)\b' | sort -u)
calls=$(macro MAPSWEEP_CUDA_FUNCTIONS "$header" | sed -nE 's/^\tF\((\w+), (\w+), \((.*)\)\).*/\1 \2/p')
functions=$( (awk '{ print $1 }' <<<"$calls"; echo cuInit; echo cuDeviceGetCount; echo cuDriverGetVersion) | sort -u)
for w in $words $functions; do
	echo "#define $w ours_$w" >>"$l/rename.h"
	echo "#undef $w" >>"$l/restore.h"
done
for macro in CUDA_VERSION $(sed -nE 's/^#define (CU_[A-Z0-9_]+) ([0-9]+)$/\1=\2/p' "$header"); do # macros of ours are values
	echo "#undef ${macro%=*}" >>"$l/restore.h"
	[ "$macro" = CUDA_VERSION ] && continue
	echo "static_assert(${macro#*=} == (long long)(${macro%=*}), \"${macro%=*}\");" >>"$l/values.h"
done
body=$(sed -e '/^#define MAPSWEEP_CUDA_FUNCTIONS/,$d' "$header")
grep -oE '\b(CU|CUDA)_[A-Z0-9_]+ = ' <<<"$body" | sed -E 's/(.*) = /VALUE(\1)/' >>"$l/values.h"
grep -oE '(^typedef [^{}]*\*?|^\}|\}) ?\*?(CU[A-Za-z0-9_]*|cuuint32_t);' <<<"$body" | sed -E 's/.*[ *](\w+);/TYPE(\1)/' | sort -u >"$l/types.h"
awk '/^typedef struct \{/ { on = 1; n = 0; next }
	on && /^\}/ { type = $2; sub(/;/, "", type); for (i = 0; i < n; i++) print "FIELD(" type ", " field[i] ")"; on = 0 }
	on { line = $0; sub(/;.*/, "", line); k = split(line, part, ","); for (i = 1; i <= k; i++) { match(part[i], /[A-Za-z0-9_]+$/); field[n++] = substr(part[i], RSTART) } }' <<<"$body" >"$l/fields.h"
numbers $cuda/*.c $cuda/*.go >"$l/numbers.h"
macro MAPSWEEP_CUDA_FUNCTIONS "$header" >"$l/functions.h"
# Structs that are handed to the driver, and the macro CALL, one call on a line or on two.
awk '/^struct [a-z]+ [{]/ { on = 1 } on { print } /^};/ { on = 0 }' $cuda/dependent.c >"$l/structs.h"
called=$(cat $cuda/*.c | tr '\n' ' ' | grep -oE 'CALL\(\([^"]*\),[[:space:]]*"\w+"' | sed -E 's/CALL\(\((.*)\),[[:space:]]*"(\w+)"/\2 \1/')
sed -E 's/^(\w+) (.*)$/CALLED(\1, (\2))/' <<<"$called" >"$l/called.h"
(echo "$calls"; awk '{ base = $1; sub(/_v[0-9]+$/, "", base); print base, $1 }' <<<"$called") | sort -u |
	awk 'NR == FNR { old[$1] = 1; next } !($2 in old)' .ci/cuda-headers/older.txt - | sed -E 's/(\w+) (\w+)/NAME(\1, \2)/' >"$l/names.h"
for list in values types fields numbers structs called names; do
	[ -s "$l/$list.h" ] || fail "found no $list in our sources: does this script still know how they are written?"
done
check cuda.cc "$l" "$MAPSWEEP_CUDA_TOOLKIT/include"
check functions.cc "$l" "$MAPSWEEP_CUDA_TOOLKIT/include"
echo "driver: $(wc -l <<<"$calls") functions of cuda.h, $(wc -l <<<"$called") others, $(grep -c VALUE "$l/values.h") values, $(wc -l <"$l/fields.h") fields, $(wc -l <"$l/numbers.h") numbers"
# Results of which NVIDIA says that the process or the context must end are among those after which ours is lost.
named() { sed -nE 's/^\t(\w+) +cuResult = C\.(CUDA_\w+)$/\1 \2/p' vendor/gorgonia.org/cu/result.go; sed -nE 's@^\t(\w+) += C\.int\([0-9]+\) // (CUDA_\w+)$@\1 \2@p' $cuda/raw_driver.go; }
sed -n '/^var fatal = /,/}$/p' $cuda/raw_driver.go | grep -oE '\w+' | sort -u | join - <(named | sort -u) | awk '{ print $2 }' | sort -u >"$l/fatal"
awk '/must be terminated|and must be destroyed/ { on = 1 } on && /^ *CUDA_ERROR_[A-Z0-9_]+ *=/ { print $1; on = 0 } /^} CUresult/ { exit }' "$MAPSWEEP_CUDA_TOOLKIT/include/cuda.h" | sort -u >"$l/ends"
[ "$(wc -l <"$l/ends")" -gt 8 ] || fail "found no results in NVIDIA's cuda.h after which a process must end"
missing=$(comm -23 "$l/ends" "$l/fatal")
[ -z "$missing" ] || fail "trainer/native/cuda/raw_driver.go does not take the context for lost after" $missing

if [ -n "${MAPSWEEP_LIBCUDA:-}" ]; then
	exports "$MAPSWEEP_LIBCUDA" $(awk '{ print $2 }' <<<"$calls") $(awk '{ print $1 }' <<<"$called") cuInit cuDeviceGetCount cuDriverGetVersion
	echo "$MAPSWEEP_LIBCUDA has them all"
fi
[ "${1:-}" = all ] || exit 0

# cuDNN and NCCL.
dir=.venv/cuda-libraries
if ! cmp -s .ci/cuda-headers/libraries.txt "$dir/installed.txt"; then
	echo "installing cuDNN and NCCL into $dir" >&2
	rm -rf "$dir"
	python3 -m venv "$dir" || fail "python3 -m venv failed (on Debian: apt install python3-venv)"
	"$dir/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r .ci/cuda-headers/libraries.txt ||
		fail "pip could not load the packages of .ci/cuda-headers/libraries.txt from its package index"
	cp .ci/cuda-headers/libraries.txt "$dir/installed.txt"
fi
nvidia=$(compgen -G "$dir/lib/python3*/site-packages/nvidia")
for name in cudnn nccl; do
	l=$room/$name
	mkdir "$l"
	macro FUNCTIONS "$cuda/$name/library.c" >"$l/functions.h"
	numbers "$cuda/$name"/*.c "$cuda/$name"/*.go >"$l/numbers.h"
	check "$name.cc" "$l" "$nvidia/$name/include" "$MAPSWEEP_CUDA_TOOLKIT/include"
	symbols=$(grep -oE "\b$name[A-Z]\w+" "$l/functions.h" | sort -u)
	exports "$(compgen -G "$nvidia/$name/lib/lib$name.so.*")" $symbols
	echo "$name: $(wc -l <<<"$symbols") functions, $(wc -l <"$l/numbers.h") numbers"
done
