#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What a reader of the repository may rely on.

load lib/setup

@test "shellcheck has nothing to say" {
	mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r file; do
		[ -f "$file" ] && head -n 3 "$file" | grep -qE '^#!.*\b(ba)?sh$|shellcheck shell=' && echo "$file"
	done)
	[ "${#scripts[@]}" -gt 8 ]
	shellcheck "${scripts[@]}"
}

@test "no kernel file is copied whole" {
	kernel=$(engine/fetch-kernel "$fixed")
	run bash -c "git ls-files | while read -r f; do [ -e '$kernel'/\$f ] && echo \$f; done"
	# The two trees have a few names in common, such as README.md never.
	while read -r file; do
		[ -z "$file" ] || [ -z "$(comm -12 <(sort -u "$file") <(sort -u "$kernel/$file") | head -n 20 | sed -n 20p)" ]
	done <<<"$output"
}

@test "no file names a package archive or a path of the machine it was made on" {
	run git grep -nE 'https?://[^ ]*(debian|ubuntu)|/(home|root|work)/' -- . ':!tests/style.bats'
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "make help names every target" {
	run make help
	targets=$(make -pn help | sed -n 's/^\.PHONY: help //p')
	[ "$(wc -w <<<"$targets")" -gt 15 ]
	for target in $targets; do
		[[ $output == *"make $target "* ]]
	done
}

@test "the page on the suites names each, and no other" {
	diff <(grep -ohE '"riscv_kvm_vcpu[a-z_]*"' arch/riscv/kvm/*_test.c | tr -d '"' | sort) \
		<(grep -oE '^``riscv_kvm_vcpu[a-z_]*``$' Documentation/virt/kvm/riscv/vcpu-kunit.rst | tr -d '`' | sort)
}

@test "each source file says which license it has" {
	for file in $(git ls-files .ci .git\* .shellcheckrc bench/*.[cg]* bin engine guest Makefile tests/*.bats tests/lib tests/matrix); do
		head -n 2 "$file" | grep -q 'SPDX-License.Identifier: GPL-2.0-only$' || { echo "$file does not"; false; }
	done
}

@test "REUSE's linter has nothing to say" {
	bin/install-tools check
	# Debian 12 has version 1, which does not read REUSE.toml.
	reuse --version | head -n 1 | grep -q 'reuse[^0-9]*[4-9]' || skip "needs reuse 4"
	reuse lint
}
