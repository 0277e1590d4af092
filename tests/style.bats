#!/usr/bin/env bats
# What a reader of the repository may rely on.

load lib/setup

@test "shellcheck has nothing to say" {
	mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r file; do
		[ -f "$file" ] && head -n 2 "$file" | grep -qE '^#!.*\b(ba)?sh$|shellcheck shell=' && echo "$file"
	done)
	[ "${#scripts[@]}" -gt 8 ]
	shellcheck "${scripts[@]}"
}

@test "no kernel file is copied whole" {
	kernel=$(bin/fetch-kernel "$fixed")
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
	for target in $(sed -n 's/^\.PHONY: help //p' Makefile); do
		[[ $output == *"make $target "* ]]
	done
}

@test "the page on each suite has each of its cases, and no other" {
	for suite in sbi mp_state; do
		diff <(grep -oE 'KUNIT_CASE[A-Z_]*\(\w+' "arch/riscv/kvm/vcpu_${suite}_test.c" | sed 's/.*(//' | sort) \
			<(grep -oE '^``\w+``$' "Documentation/virt/kvm/riscv/vcpu-${suite/_/-}-kunit.rst" | tr -d '`' | sort)
	done
}
