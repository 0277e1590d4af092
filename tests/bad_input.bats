#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Each mistake gets one line that says what is wrong, and changes nothing.

load lib/setup

# run --separate-stderr
bats_require_minimum_version 1.5.0

setup() { KDIR=$BATS_TEST_TMPDIR/tree; }

# refused PATTERN: the main job with KDIR ends with one line that matches
refused() {
	run make -s kunit KDIR="$KDIR" "${@:2}"
	# make adds a line of its own
	output=$(grep -v '^make' <<<"$output")
	echo "$output"
	[ "$status" -ne 0 ]
	one_line
	[[ $output == $1 ]]
}

@test "KDIR that does not exist" {
	refused '*there is no*'
}

@test "KDIR that is not a kernel" {
	KDIR=$top
	refused '*not the top of a kernel source tree'
}

@test "KDIR that is too old to be affected" {
	small_tree $vulnerable "$KDIR"
	sed -i 's/mp_state_lock/power_off_lock/' "$KDIR/arch/riscv/include/asm/kvm_host.h"
	refused '*has no mp_state_lock*not affected*'
}

@test "KDIR with local changes to vcpu_sbi.c" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	echo >>"$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	before=$(snapshot "$KDIR")
	refused '*local changes*vcpu_sbi.c*'
	[ "$(snapshot "$KDIR")" = "$before" ]
}

@test "KDIR that has the series already" {
	small_tree $vulnerable "$KDIR"
	engine/apply-patch "$KDIR" kunit
	refused '*has the suite already*'
}

@test "KDIR with a reset function that is neither" {
	small_tree $vulnerable "$KDIR"
	sed -i 's/spin_lock(&vcpu->arch.mp_state_lock)/spin_lock(\&tmp->arch.mp_state_lock)/' \
		"$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	rm "$KDIR/lib/kunit/Kconfig"
	refused "*neither*patch 'guarded' does not apply*"
}

@test "KDIR to which a patch does not apply" {
	small_tree $vulnerable "$KDIR"
	sed -i '/RISCV_SBI_V01/d' "$KDIR/arch/riscv/kvm/Makefile"
	refused "*patch 'kunit' does not apply*arch/riscv/kvm/Makefile*"
}

@test "KDIR with a space in its name is read all the same" {
	KDIR="$BATS_TEST_TMPDIR/a tree"
	small_tree $vulnerable "$KDIR"
	sed -i 's/mp_state_lock/power_off_lock/' "$KDIR/arch/riscv/include/asm/kvm_host.h"
	refused '*not affected*'
}

@test "a cross compiler that is not there" {
	KDIR=
	refused '*there is no nowhere-gcc*' CROSS_COMPILE=nowhere-
}

@test "a cross compiler for another machine" {
	ln -s "$(command -v gcc)" "$BATS_TEST_TMPDIR/other-gcc"
	for tool in ld as nm objcopy ar; do ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/other-$tool"; done
	KDIR=$(engine/fetch-kernel $vulnerable)
	refused '*not a compiler for riscv*' CROSS_COMPILE="$BATS_TEST_TMPDIR/other-"
}

@test "BUILD with a space in its name" {
	KDIR=
	refused '*path with a space*' BUILD="$BATS_TEST_TMPDIR/a build"
}

@test "BUILD that cannot be written" {
	KDIR=
	refused '*cannot write to*' BUILD=/proc/build
}

@test "BUILD with no room" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=64M none "$BATS_TEST_TMPDIR/small" || skip "needs the right to mount"
	KDIR=
	refused '*GiB left*' BUILD="$BATS_TEST_TMPDIR/small"
	umount "$BATS_TEST_TMPDIR/small"
}

@test "a disk that fills while a kernel is unpacked leaves no half of one" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=600M none "$BATS_TEST_TMPDIR/small" || skip "needs the right to mount"
	BUILD=$BATS_TEST_TMPDIR/small run engine/fetch-kernel $vulnerable
	echo "$output"
	left=$(find "$BATS_TEST_TMPDIR/small" -mindepth 1 ! -name '.made-by-*')
	umount "$BATS_TEST_TMPDIR/small"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot unpack"* ]]
	[ -z "$left" ]
}

@test "two runs in one BUILD" {
	export BUILD=$BATS_TEST_TMPDIR/build
	KDIR=
	bin/triage "$BATS_TEST_TMPDIR" || [ $? = 3 ]
	exec 7>"$BUILD/lock"
	flock 7
	refused '*another run*'
}

@test "no network" {
	unshare -n true || skip "needs the right to cut the network off"
	BUILD=$BATS_TEST_TMPDIR run unshare -n engine/fetch-kernel $vulnerable
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot read the package list"* ]]
	[ "${#lines[@]}" -eq 2 ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name 'linux-*' -o -name 'tmp.*')" ]
	# Nor is nothing at all a success.
	for command in bisect-proof lock-order soak; do
		BUILD=$BATS_TEST_TMPDIR/build run unshare -n "bin/$command"
		echo "$output"
		[ "$status" -eq 2 ]
		[ "$(grep -c '^error: ' <<<"$output")" -eq 1 ]
	done
}

@test "a tree that is not ours is neither written nor locked by the copy" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	touch "$KDIR/arch/riscv/kvm/new.c" "$KDIR/arch/riscv/kvm/old.o"
	mkdir -p "$KDIR/drivers/gpu/drm" "$KDIR/net/core"
	touch "$KDIR/drivers/gpu/drm/"{gpu.c,Kconfig,Makefile} "$KDIR/net/core/"{dev.c,Makefile}
	printf '*.o\n' >"$KDIR/.git/info/exclude"
	before=$(snapshot "$KDIR")
	engine/copy-tree "$KDIR" "$BATS_TEST_TMPDIR/copy"
	[ "$(snapshot "$KDIR")" = "$before" ]
	cmp "$KDIR/arch/riscv/kvm/vcpu.c" "$BATS_TEST_TMPDIR/copy/arch/riscv/kvm/vcpu.c"
	[ -e "$BATS_TEST_TMPDIR/copy/arch/riscv/kvm/new.c" ]
	[ ! -e "$BATS_TEST_TMPDIR/copy/arch/riscv/kvm/old.o" ]
	# What the suites' kernel does not need stays behind, what configures a kernel does not.
	[ "$(cd "$BATS_TEST_TMPDIR/copy/drivers/gpu/drm" && echo *)" = "Kconfig Makefile" ]
	[ "$(cd "$BATS_TEST_TMPDIR/copy/net/core" && echo *)" = Makefile ]
	# What has gone from the tree goes from the copy.
	rm "$KDIR/arch/riscv/kvm/new.c"
	engine/copy-tree "$KDIR" "$BATS_TEST_TMPDIR/copy"
	[ ! -e "$BATS_TEST_TMPDIR/copy/arch/riscv/kvm/new.c" ]
}

@test "a tree inside somebody's repository that does not track it is copied whole" {
	git init -q "$BATS_TEST_TMPDIR/outer"
	echo '*' >"$BATS_TEST_TMPDIR/outer/.gitignore"
	small_tree $vulnerable "$BATS_TEST_TMPDIR/outer/linux"
	engine/copy-tree "$BATS_TEST_TMPDIR/outer/linux" "$BATS_TEST_TMPDIR/copy"
	diff -r "$BATS_TEST_TMPDIR/outer/linux" "$BATS_TEST_TMPDIR/copy"
}

@test "apply-patch changes all or nothing" {
	small_tree $vulnerable "$KDIR"
	sed -i '/RISCV_SBI_V01/d' "$KDIR/arch/riscv/kvm/Makefile"
	before=$(snapshot "$KDIR")
	run engine/apply-patch "$KDIR" kunit
	[ "$status" -ne 0 ]
	[ "$(snapshot "$KDIR")" = "$before" ]
}

@test "not root: the exact packages to install" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	# A PATH with what the command itself uses, and none of the tools.
	mkdir "$BATS_TEST_TMPDIR/path"
	for tool in bash perl apt-get apt-cache git make $(grep -A 1 '^for name in awk' engine/common.sh | grep -oE '\b[a-z0-9]+\b' | grep -vxE 'for|name|in|do'); do
		ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/path/"
	done
	cp -r bin engine series "$BATS_TEST_TMPDIR/"
	chmod -R a+rX "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
	PATH=$BATS_TEST_TMPDIR/path run "$(command -v setpriv)" --reuid=65534 --clear-groups \
		"$BATS_TEST_TMPDIR/bin/install-tools" kunit
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == *"apt-get satisfy --no-install-recommends"*gcc-riscv64-linux-gnu* ]]
}

# mirror DIR: a Debian archive with the signed lists of the real one, and the
# source package of the vulnerable kernel
mirror() {
	local dir=$1 site codename package file
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	site=$(apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/$codename/InRelease'.*,\1,p" | head -n 1)
	mkdir -p "$dir/dists/trixie/main/source" "$dir/pool/main/l/linux"
	for file in InRelease main/source/Sources.xz; do
		/usr/lib/apt/apt-helper download-file "$site/dists/trixie/$file" "$dir/dists/trixie/$file"
	done
	package=linux_$vulnerable
	file=pool/main/l/linux/$package.orig.tar.xz
	/usr/lib/apt/apt-helper download-file "$site/$file" "$dir/$file"
	echo "deb file:$dir $codename main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "/dev/null";
	END
}

@test "a kernel that the archive has dropped is told from one that cannot be read" {
	dir=$BATS_TEST_TMPDIR/mirror
	mirror "$dir"
	export APT_CONFIG=$dir/apt.conf BUILD=$BATS_TEST_TMPDIR/build
	rm "$dir/pool/main/l/linux/linux_$vulnerable.orig.tar.xz"
	run engine/fetch-kernel $vulnerable
	echo "$output"
	[ "$status" -eq 4 ]
	[[ ${lines[-1]} == "error: cannot download linux=$vulnerable-1"* ]]
	# The main job goes on to another; the patches stay.
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	sed -i "/^$vulnerable /!d" series/bases
	echo "9.9.9  trixie  src:linux=9.9.9-1" >>series/bases
	mkdir -p "$BUILD/src/linux-9.9.9/arch/riscv/include/asm"
	echo mp_state_lock >"$BUILD/src/linux-9.9.9/arch/riscv/include/asm/kvm_host.h"
	run --separate-stderr engine/fetch-kernel
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "$output" = "$BUILD/src/linux-9.9.9" ]
	[[ $stderr == *"Linux $vulnerable is no longer in the Debian archive: trying the next"* ]]
	sed -i "/^9.9.9 /d" series/bases
	run --separate-stderr bin/series
	echo "$output $stderr"
	[ "$status" -eq 2 ]
	[[ $stderr == *"Linux $vulnerable is no longer in the Debian archive; keeping its patches"* ]]
	diff -r "$top/patches" patches
	# Nor does the list name what has been gone for longer: `make bases` mends that.
	cat >series/bases <<-'END'
		# a comment
		6.12.9     trixie            src:linux=6.12.9-1
		6.12.10    trixie            src:linux=6.12.10-1              committed
		6.12.38    trixie            src:linux=6.12.38-1
		5.5.5      trixie            src:linux=5.5.5-1
	END
	run engine/fetch-kernel 6.12.9
	echo "$output"
	[ "$status" -eq 4 ]
	run bin/bases
	echo "$output"
	[ "$status" -eq 0 ]
	newest=$(xz -dc "$dir/dists/trixie/main/source/Sources.xz" | sed -n 's/^Version: \(6[.]12[.].*\)-1$/\1/p' | sort -V | tail -n 1)
	diff series/bases - <<-END
		# a comment
		$(printf %-10s "$newest") trixie            src:linux=$newest-1
		6.12.10    trixie            src:linux=6.12.10-1              committed
		6.12.38    trixie            src:linux=6.12.38-1
	END
	[[ $output == *"6.12.10: "*"by hand"* && $output == *"5.5.5: "*"taken out"* ]]
}

@test "a download that was cut short or altered is not unpacked" {
	dir=$BATS_TEST_TMPDIR/mirror
	mirror "$dir"
	export APT_CONFIG=$dir/apt.conf BUILD=$BATS_TEST_TMPDIR/build
	tarball=$dir/pool/main/l/linux/linux_$vulnerable.orig.tar.xz
	cp "$tarball" "$dir/whole"

	truncate -s 100M "$tarball"
	run engine/fetch-kernel $vulnerable
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot download linux=$vulnerable-1"* ]]

	cp "$dir/whole" "$tarball"
	printf x | dd of="$tarball" bs=1 seek=1000000 conv=notrunc status=none
	run engine/fetch-kernel $vulnerable
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot download linux=$vulnerable-1"* ]]

	sed -i 's/^Suite: .*/Suite: else/' "$dir/dists/trixie/InRelease"
	run engine/fetch-kernel $vulnerable
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot read the package list"* ]]
	[ -z "$(find "$BUILD" -mindepth 1 ! -name '.made-by-*')" ]
}
