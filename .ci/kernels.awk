# The table kernels.txt, from what ptxas -v says and what the PTX declares; faults go to stderr, with exit status 1.
#   awk -f kernels.awk machine=limits limits.txt machine=sm_80 sm_80.ptx sm_80.log machine=sm_90a ...
# A line of limits.txt is "KERNEL spills REASON" or "KERNEL stack REASON": the kernel may spill registers, or use local memory
# for what it indexes; or "KERNEL only-MACHINE REASON": there is no such kernel for other machines. Without one none of these is
# allowed. A kernel must have __launch_bounds__ that its registers allow, and for sm_90 and later it must wait for the kernels
# before it (griddepcontrol.wait) ahead of anything that touches memory, as KERNEL of port.cuh makes it do.

function fault(text) { print "kernels: " text > "/dev/stderr"; faults = 1 }
function excused(kernel, what) { used[kernel, what] = 1; return (kernel, what) in excuse }
function up(n, step) { return int((n + step - 1) / step) * step }

machine == "limits" {
	if (/^#/ || NF == 0) next
	if (NF < 3 || $2 !~ /^(spills|stack|only-.+)$/) fault("limits.txt, line " FNR ": want KERNEL spills|stack|only-MACHINE REASON")
	if ($2 ~ /^only-/) { only[$1] = substr($2, 6); next }
	excuse[$1, $2] = FNR
	next
}
FNR == 1 && !(machine in seen) { seen[machine]; order[++machines] = machine }

# PTX: .visible .entry NAME( ... ) .maxntid X, Y, Z .minnctapersm N {
$2 == ".entry" { entry = $3; sub(/\(.*/, "", entry); kernels[entry]; declared[entry, machine] }
# Of a kernel's instructions, an @predicate may stand in front: whether one other than ld.param comes before its wait.
$1 == "griddepcontrol.wait;" && !((entry, machine) in began) { waits[entry, machine] }
/^[ \t]*(@!?%p[0-9]+[ \t]+)?(ld|st|ldu|atom|red|cp|prefetch|ldmatrix|mbarrier|bar|barrier|call|bra|ret|trap)[.; \t]/ && !/ld\.param/ { began[entry, machine] }
$1 == ".maxntid" { gsub(/[^0-9 ]/, ""); threads[entry] = $1 * $2 * $3 }
$1 == ".minnctapersm" { blocks[entry] = $2 + 0 }

# ptxas: "Function properties for NAME", then "S bytes stack frame, A bytes spill stores, B bytes spill loads", then for a kernel
# "Used R registers, ..., M bytes smem, ...".
/Function properties for/ { name = $NF; if (!(name in kernels)) functions[name] }
/bytes stack frame/ { stack[name, machine] = $1; spill[name, machine] = $5 + $9 }
/: Used [0-9]+ registers/ {
	for (i = 1; i < NF; i++) {
		if ($(i) == "Used") registers[name, machine] = $(i + 1)
		if ($(i + 2) ~ /^smem/) shared[name, machine] = $(i)
	}
}
/Potential Performance Loss/ { sub(/.*Potential/, "potential"); fault(machine ": " $0) } # as wgmma that waits for itself

function limit(name, m,    r) {
	if (spill[name, m] > 0 && !excused(name, "spills"))
		fault(name " spills " spill[name, m] " bytes on " m ": use fewer registers, or give a reason in limits.txt")
	if (stack[name, m] > 0 && spill[name, m] == 0 && !excused(name, "stack"))
		fault(name " keeps " stack[name, m] " bytes in local memory on " m ": index arrays by constants, or give a reason in limits.txt")
	if (!(name in kernels)) return
	if (name in only && only[name] != m) {
		if ((name, m) in declared) fault(name " is there on " m ", and limits.txt says that it is not")
		return
	}
	if (substr(m, 4) + 0 >= 90 && !((name, m) in waits))
		fault(name " does not begin with a wait for the kernels before it on " m ": declare it by KERNEL or FLAT_KERNEL")
	r = registers[name, m]
	if (r == "") fault(name " has no code on " m)
	else if (up(r, 8) * up(threads[name], 32) * blocks[name] > 65536)
		fault(name " has " r " registers on " m ", too many for blocks of " threads[name] ", " blocks[name] " at a time")
}
function row(name, kind,    i, m, text) {
	text = sprintf("%-44s %7s %6s", name, kind == "kernel" ? threads[name] : kind, kind == "kernel" ? blocks[name] : "")
	for (i = 1; i <= machines; i++) {
		m = order[i]
		text = text sprintf("  | %9s %6d %5d %5d", kind == "kernel" ? registers[name, m] : "", shared[name, m], stack[name, m], spill[name, m])
	}
	sub(/ +$/, "", text)
	print text | "sort"
}
END {
	print "# Kernels as ptxas made them, by machine; made by `make kernels`. Threads: most in a block; blocks: fewest on a multiprocessor"
	print "# that the compiler must allow for; shared: bytes beside dynamic ones; stack, spills: bytes of local memory (limits.txt)."
	head = sprintf("%-44s %7s %6s", "# kernel", "threads", "blocks")
	for (i = 1; i <= machines; i++) head = head sprintf("  | %9s %6s %5s %5s", order[i] " regs", "shared", "stack", "spill")
	print head
	fflush()
	for (name in kernels) {
		if (!threads[name]) fault(name " has no __launch_bounds__")
		if (!blocks[name]) blocks[name] = 1
		for (i = 1; i <= machines; i++) limit(name, order[i])
		row(name, "kernel")
	}
	for (name in functions) {
		for (i = 1; i <= machines; i++) limit(name, order[i])
		row(name, "called")
	}
	for (name in only) if (!(name in kernels)) fault("limits.txt: there is no kernel " name)
	for (key in excuse) {
		split(key, part, SUBSEP)
		if (!(key in used)) fault("limits.txt, line " excuse[key] ": " part[1] " needs no excuse for " part[2] " (any more)")
	}
	close("sort")
	exit faults
}
