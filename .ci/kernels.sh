#!/usr/bin/env bash
# Compiles the CUDA kernels (trainer/native/cuda/kernel/*.cu) with the pinned compiler into kernels.fatbin, which the binary embeds,
# with kernels.txt (registers, memory, spills) and kernels.sum (what it was made of) beside it. Fails if a kernel breaks a limit.
#   .ci/kernels.sh           renews the three files (make kernels)
#   .ci/kernels.sh --check   compiles anew and fails if one of them would change
# The bytes are the same on every machine, whatever its folders and its gcc. To keep them so: no -lineinfo, no __FILE__ of a full
# path, and the path that names of unnamed namespaces are made from is given (nvcc itself would take the folder's).
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1-}" in
"" | --check) ;;
*)
	echo "usage: .ci/kernels.sh [--check]" >&2
	exit 2 ;;
esac
check=${1-}

compile=(-std=c++17 -O3 --Werror all-warnings -Xcicc --orig_src_path_name -Xcicc kernels.cu) # CUDA C to PTX
assemble=(-v -m64 -O3 --warn-on-spills)                                                     # PTX to machine code
pack=(-64 --compress-mode=size)                                                             # a fifth of the default's bytes
machines=(sm_80 sm_90a)             # machine code for these; sm_80's runs on 8.6 and 8.9 as well
later=(sm_89 sm_100 sm_120 sm_121)  # the driver compiles PTX for later ones; that it can is checked here

installed=$(.ci/nvcc.sh)
eval "$installed"
cuda=$MAPSWEEP_CUDA_TOOLKIT here=$PWD
export PATH="$cuda/bin:$PATH" LC_ALL=C
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

cd trainer/native/cuda/kernel
shopt -s nullglob
sources=(*.cu *.cuh) units=(*.cu)
[ ${#units[@]} -gt 0 ] || { echo "kernels.sh: no *.cu in $PWD" >&2; exit 1; }
# One unit, so that there is one image for each machine and one of PTX. Each source has its names, and those of the headers beside
# port.cuh, to itself, as in the emulator: it is read with them in a namespace. #pragma once knows headers by what is in them, so
# each source gets its own copies, with its name in their first line.
echo '#include "port.cuh"' >"$new/kernels.cu"
for unit in "${units[@]}"; do
	name=${unit%.cu}
	mkdir "$new/$name"
	for file in "$unit" *.cuh; do
		[ "$file" = port.cuh ] || { echo "// of $name"; echo "#line 1 \"$file\""; cat "$file"; } >"$new/$name/$file"
	done
	printf 'namespace unit_%s {\n#include "%s/%s"\n}\n' "$name" "$name" "$unit" >>"$new/kernels.cu"
done

jobs=()
for machine in "${machines[@]}"; do
	(nvcc -ptx -arch="compute_${machine#sm_}" "${compile[@]}" -I. -o "$new/$machine.ptx" "$new/kernels.cu" &&
		ptxas -arch="$machine" "${assemble[@]}" -o "$new/$machine.cubin" "$new/$machine.ptx" 2>"$new/$machine.log" ||
		{ cat "$new/$machine.log" 2>/dev/null; exit 1; }) >&2 &
	jobs+=($!)
done
failed=
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
[ -z "$failed" ] || exit 1
[ -n "$check" ] || later=() # takes as long as all the rest
for machine in "${later[@]}"; do
	ptxas -arch="$machine" -m64 -O1 -o "$new/later.cubin" "$new/sm_80.ptx" >&2 || { echo "kernels.sh: the PTX does not compile for $machine" >&2; exit 1; }
done
images=("--image3=kind=ptx,sm=80,file=$new/sm_80.ptx")
tables=()
for machine in "${machines[@]}"; do
	images+=("--image3=kind=elf,sm=${machine#sm_},file=$new/$machine.cubin")
	tables+=("machine=$machine" "$new/$machine.ptx" "$new/$machine.log")
done
fatbinary --create="$new/kernels.fatbin" "${pack[@]}" "${images[@]}"

{
	echo "# What kernels.fatbin was made of. Made by \`make kernels\`."
	(cd "$new" && sha256sum kernels.fatbin)
	sha256sum -- "${sources[@]}" | sort -k 2
	echo "flags ${compile[*]} ${assemble[*]} ${pack[*]} ${machines[*]}"
	sed -n 's/^\([a-z-]*==[0-9.]*\).*/compiler \1/p' "$here/.ci/nvcc.txt"
} >"$new/kernels.sum"
limits=0
awk -f "$here/.ci/kernels.awk" machine=limits limits.txt "${tables[@]}" >"$new/kernels.txt" || limits=1

made=(kernels.fatbin kernels.sum kernels.txt)
if [ -z "$check" ]; then
	for file in "${made[@]}"; do cp "$new/$file" "$file"; done
	echo "$PWD/kernels.fatbin: $(stat -c %s kernels.fatbin) bytes" >&2
	exit "$limits"
fi
for file in "${made[@]}"; do
	if ! cmp -s "$new/$file" "$file"; then
		echo "kernels.sh: $PWD/$file is not what the sources compile to: run \`make kernels\` and commit it" >&2
		[ "$file" = kernels.fatbin ] || diff "$file" "$new/$file" >&2 || true
		limits=1
	fi
done
exit "$limits"
