#!/usr/bin/env bats
# bats file_tags=slow
# The series, patch by patch.

load lib/setup

@test "each patch builds and boots, and the suite fails until the fix is there" {
	make -s bisect-proof KERNELS=$vulnerable 2> >(sed 's/^/# /' >&3)
}

@test "a patch that does not build and a suite that fails are reported" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	# Three patches will do.
	for patch in status assert writers cocci; do
		rm patches/linux-$vulnerable/*-"$(head -n 1 series/$patch.message | sed 's/[^A-Za-z0-9_.]\+/-/g' | cut -c 1-52)"*
		sed -i "/^$patch\b/d" series/order
	done
	# The fix does nothing, and the documentation breaks the build.
	sed -i 's/^+\(.*\)&tmp->arch/+\1\&vcpu->arch/' patches/linux-$vulnerable/*-Take-each-vCPU*
	sed -i 's/^+\(.*power state\), see .*/+\1/' patches/linux-$vulnerable/*-Documentation-*
	BUILD=$build KERNELS=$vulnerable run bin/bisect-proof
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG "*" series "*"KUnit suite"*" fail "* && $output == *"WRONG "*" unbuilt "* ]]
}
