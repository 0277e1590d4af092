# SPDX-License-Identifier: GPL-2.0-only
# The checks of bin/lint, which sources this. check_NAME looks at the patches in
# $scratch/patches or at the patched $tree; each line that it prints is a finding.
# tree_NAME runs on $tree before and after the patches; a line that it prints only
# afterwards is a finding, and so is "cannot run: ...".
# shellcheck shell=bash disable=SC2154,SC2034 # shared with bin/lint

# in the order in which they run
all_checks='checkpatch fixes signoff maintainers maintainers-self-test kconfig-style kunit-config
	kernel-doc selftests gcc sparse clang rv32 random coccicheck htmldocs'
kvm=arch/riscv/kvm suite_option=RISCV_KVM_VCPU_KUNIT_TEST

check_checkpatch() {
	local patch
	# The commits that the messages name are in the kernel's history only. Whether
	# MAINTAINERS needs an update for a new file, check_maintainers answers.
	for patch in "$scratch/patches"/*.patch; do
		(cd "$tree" && perl scripts/checkpatch.pl --strict --terse --no-summary --ignore UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES "$patch") || true
	done
}

check_fixes() {
	local patch tag is
	{ grep -H '^Fixes:' "$scratch/patches"/*.patch || true; } | while IFS=: read -r patch _ tag; do
		is=$tag
		[[ $tag =~ ^\ [0-9a-f]{12}\ \(\".*\"\)$ ]] || is=' not <12 digits> ("<subject>")'
		[ -z "${FULL:-}" ] || is=$(git -C "$FULL" log -1 --abbrev=12 --format=' %h ("%s")' "${tag:1:12}" -- 2>/dev/null) || is=" no such commit in $FULL"
		[ "$is" = "$tag" ] || echo "${patch##*/}: ${tag:1:12} is:$is"
	done
}

# After git am -s, who applies is the last to sign off, and nobody is named twice.
check_signoff() {
	local repo=$scratch/signoff
	rm -rf "$repo" && git init -q "$repo"
	(cd "$tree.plain" && touched . | xargs cp --parents -t "$repo")
	git -C "$repo" add -A
	git -C "$repo" -c user.name=Base -c user.email=base@example.org commit -qm base
	git -C "$repo" -c user.name=Maintainer -c user.email=maintainer@example.org am -q -s "$scratch/patches"/*.patch 2>&1 || return 0
	git -C "$repo" log --reverse --format='%s%x09%(trailers:key=Signed-off-by,valueonly,separator=%x2C)' HEAD~"$(find "$scratch/patches" -name '*.patch' | wc -l)".. |
		grep -vP '\t(?!.*(<[^>]*>).*\1)(.*,)?Maintainer <maintainer@example.org>$' || true
}

get_maintainer() { (cd "$tree" && perl scripts/get_maintainer.pl --no-git --no-git-fallback --no-tree "$@" 2>&1); }

# Each patch goes to those whose files it changes, and each new file has somebody.
check_maintainers() {
	local patch found file who whom
	for patch in "$scratch/patches"/*.patch; do
		found=$(get_maintainer "$patch")
		whom=('Anup Patel' kvm-riscv@lists.infradead.org linux-riscv@lists.infradead.org)
		! grep -qE '^[+]{3} b/scripts/coccinelle/' "$patch" || whom=('Julia Lawall' cocci@inria.fr)
		! grep -qE '^[+]{3} b/tools/testing/selftests/kvm/lib/' "$patch" || whom=('Paolo Bonzini' kvm@vger.kernel.org)
		! grep -qE '^[+]{3} b/lib/kunit/' "$patch" || whom=('David Gow' kunit-dev@googlegroups.com)
		for who in "${whom[@]}"; do
			grep -qF "$who" <<<"$found" || echo "${patch##*/}: get_maintainer.pl does not name $who"
		done
	done
	for file in $(new_files); do
		found=$(get_maintainer -f "$file")
		grep -qE '\((supporter|maintainer)' <<<"$found" || echo "$file: has no maintainer"
	done
}

# Documentation/dev-tools/kunit/style.rst, "Test Kconfig Entries"
check_kconfig-style() {
	local entry pattern
	entry=$(sed -n "/^config $suite_option\$/,/^\(config\|endif\)/p" "$tree/$kvm/Kconfig")
	[ "$(grep -cx "config $suite_option" "$tree/$kvm/Kconfig")" = 1 ] || echo "$suite_option: not one entry in Kconfig"
	for pattern in '(bool|tristate) "KUnit tests? for .*" if !KUNIT_ALL_TESTS' 'depends on .*KUNIT.*' 'default KUNIT_ALL_TESTS' \
		'  .*KUnit documentation in Documentation/dev-tools/kunit/.*'; do
		grep -qxE "	$pattern" <<<"$entry" || echo "$suite_option: its entry has no '$pattern'"
	done
}

check_kunit-config() {
	(cd "$tree" && tools/testing/kunit/kunit.py config --arch=riscv --cross_compile="$cross_compile" \
		--kunitconfig="$kunitconfig" --build_dir="$out/kunit-config") 2>&1 </dev/null | grep -E 'ERROR|Missing|not all' || true
}

# The patterns are looked for among the files that git lists; those near KVM will do.
tree_maintainers-self-test() {
	git init -q "$tree"
	(cd "$tree" && find arch/riscv Documentation/virt virt -type f -printf "100644 $(git hash-object -t blob /dev/null) 0\t%p\n" |
		git update-index --index-info && perl scripts/get_maintainer.pl --self-test=sections,patterns 2>&1) || true
	rm -rf "$tree/.git"
}

tree_kernel-doc() {
	(cd "$tree" && scripts/kernel-doc -none -Wall "$kvm"/{vcpu_*.[ch],*_test.c} arch/riscv/include/asm/kvm_host.h \
		{include,lib}/kunit/*.[ch] 2>&1) || true
}

# A userspace program: nothing of the kernel is built for it.
check_selftests() {
	local program
	new_files | sed -n 's,^tools/testing/selftests/kvm/\(.*\)\.c$,\1,p' | while read -r program; do
		"$top/engine/build-selftests" "$tree" "$out" "$program" 2>&1 || true
	done
}

# kbuild NAME ARGUMENT...: make in the build directory of a configuration
kbuild() { make -s -C "$tree" ARCH=riscv O="$out/$1" CROSS_COMPILE="$cross_compile" "${@:2}"; }

# configure NAME TARGET ARGUMENT...: everything as modules, or what TARGET is; the
# suite with it, and warnings that do not end the build
configure() {
	mkdir -p "$out/$1"
	printf '%s\n' '# CONFIG_WERROR is not set' CONFIG_MMU=y \
		CONFIG_DEBUG_INFO_NONE=y CONFIG_KVM="${kind:-m}" CONFIG_KUNIT="${kind:-m}" CONFIG_VIRTUALIZATION=y CONFIG_$suite_option=y \
		CONFIG_KUNIT_GUARDED_TEST=m \
		'# CONFIG_GCC_PLUGINS is not set' '# CONFIG_MODULE_SIG is not set' >"$out/$1.config"
	[ -e "$out/$1/.config" ] || kbuild "$1" "$2" KCONFIG_ALLCONFIG="$out/$1.config" "${@:3}"
	cat "$out/$1.config" >>"$out/$1/.config"
	kbuild "$1" olddefconfig "${@:3}"
	kbuild "$1" -j"$jobs" prepare modules_prepare "${@:3}"
}

# compile NAME TARGET ARGUMENT...: what building KVM and KUnit says
compile() {
	configure "$1" "$2" "${@:3}" >"$out/$1.log" 2>&1 || { echo "cannot run: $(last_line "$out/$1.log")"; return; }
	! grep -q "^config $suite_option" "$tree/$kvm/Kconfig" || grep -qx "CONFIG_$suite_option=y" "$out/$1/.config" ||
		echo "cannot run: $suite_option cannot be switched on in this configuration"
	# Without the lines around a diagnostic: they differ for each file that includes
	# a header of which a compiler complains.
	kbuild "$1" -k -j"$jobs" "$kvm/" lib/kunit/ "${@:3}" 2>&1 |
		grep -vE '^(In file included from| +from | *[0-9]* +[|]|[0-9]+ (warning|error)s? generated)' || true
}

tree_gcc() { compile allmod allmodconfig W=1; }
# Of the touched files: what else make compiles again is not the same before and after.
tree_sparse() {
	local files
	files=$({ touched "$tree"; new_files; } | grep -E '^(arch|lib)/.*[.]c$')
	(cd "$out" && sed 's,^,allmod/,; s,c$,o,' <<<"$files" | xargs rm -f)
	compile allmod allmodconfig W=1 C=1 CHECK="$top/engine/sparse-riscv" |
		sed 's/^.*not available or not up to date/cannot run: &/' | grep -E "^([^ ]*/)?(${files//$'\n'/|}):|^cannot run" || true
}
tree_clang() { compile clang allmodconfig LLVM=-19 W=1; }
tree_rv32() { compile rv32 rv32_defconfig W=1; }

# SEEDS= are those of the random configurations, all of them with KVM and the suites.
check_random() {
	local seed kind
	for seed in ${SEEDS:-1 2 3}; do
		export KCONFIG_SEED=$seed
		kind=$((seed % 2)) kind=${kind/0/y} kind=${kind/1/m}
		rm -rf "$out/random"
		compile random randconfig W=1 | grep -E "vcpu_(sbi|mp_state|locks)_test|vcpu_test_vm|(aia|aplic|imsic|vmid)_test|kunit/guarded|cannot run" | sed "s/^/seed $seed: /" || true
	done
}

tree_coccicheck() {
	kbuild allmod coccicheck MODE=report M="$kvm" J="$jobs" >"$out/coccicheck.log" 2>&1 ||
		echo "cannot run: coccicheck: $(grep -v '^make' "$out/coccicheck.log" | tail -n 2 | tr '\n' ' ')"
	grep '^\./[a-z_0-9]*\.[ch]:' "$out/coccicheck.log" || true
}

tree_htmldocs() {
	(cd "$tree" && make htmldocs SPHINXDIRS="virt/kvm dev-tools/kunit" O="$out/docs") >"$out/htmldocs.log" 2>&1 ||
		echo "cannot run: htmldocs: $(last_line "$out/htmldocs.log")"
	grep -E '(virt/kvm|kunit).*(WARNING|ERROR)|(kvm|kunit).*\.(rst|[ch]):' "$out/htmldocs.log" || true
}
