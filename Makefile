# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of this project; `make help` lists them. Each is a program of the same name
# in bin/.

commands := kunit quick triage patches files lint bisect-proof mutants matrix rows soak selftest selftest-mutants vmm check series bases bench clean

.PHONY: help check-all $(commands)

help:
	@echo 'make kunit              show on a real kernel that the suites distinguish bug and fix'
	@echo 'make kunit KDIR=path    the same on your own kernel tree, which is only read'
	@echo 'make quick              one verdict within seconds after an edit of a suite'
	@echo 'make quick KDIR=path    the same after an edit of KVM in your own tree'
	@echo 'make triage KDIR=path   say whether that kernel tree has the bug'
	@echo 'make triage KDIR=path REV=v6.12.1        the same for a revision of a git tree'
	@echo 'make patches KDIR=path OUT=dir           make the patches for exactly that tree'
	@echo 'make files              list which files make up each patch'
	@echo 'make lint               run the checkers of the kernel on the patches'
	@echo 'make lint KERNELS=7.3.4 CHECKS="sparse clang"   only on that kernel, only these'
	@echo 'make bisect-proof       build and boot a kernel after each patch of the series'
	@echo 'make mutants            show that the suites catch every wrong function in tests/mutants'
	@echo 'make mutants MUTANTS="lock-* guard"      only those'
	@echo 'make matrix             show that the verdict is right in every configuration of tests/matrix'
	@echo 'make matrix ROWS="rt clang"              only those'
	@echo 'make rows               print these rows for GitHub Actions, or with FORMAT=gitlab for GitLab'
	@echo 'make soak N=1000        show that the suites give no wrong verdict in N runs under load'
	@echo 'make selftest           reset real guests, with the series and with the bug'
	@echo 'make selftest KERNELS=7.3.4 CPUS=4 TEST_ARGS="-v 4"     only those, only with 4 vCPUs'
	@echo 'make selftest-mutants   show that the selftests catch the wrong kernels in tests/selftest-mutants'
	@echo 'make vmm                reset Linux guests under a stock QEMU, with the series and with the bug'
	@echo 'make check              run the tests that CI runs, in twenty minutes on two CPUs'
	@echo 'make check-all          run all of them, in an hour or two'
	@echo 'make check TESTS=name   run all of tests/name.bats; with AGAIN=1, even if nothing has changed'
	@echo 'make series             make the patches in patches/ from the sources'
	@echo 'make series SIGNOFF=1 OUT=dir            the same, with you as author and sign-off, to send'
	@echo 'make series FULL=path OUT=dir            the same, with the base-commit from that git tree'
	@echo 'make bases              replace the kernels in series/bases that the archive has dropped'
	@echo 'make bench              measure everything that has a bound, beside stock kunit.py'
	@echo 'make bench PARTS="edit cost" RUNS=5      only that, five times'
	@echo 'make clean              remove build/: kernels, builds and results'
	@echo
	@echo 'BUILD=dir               where kernels are unpacked and built  (build)'
	@echo 'JOBS=n                  how many compilers run at a time      (one per CPU, plus one)'
	@echo 'CROSS_COMPILE=prefix    another cross compiler                (riscv64-linux-gnu-)'
	@echo 'QEMU_ARGS="-smp 4"      further arguments for QEMU'
	@echo 'TIMEOUT=seconds         silence after which a kernel is hung  (60)'

# Each variable of the command line reaches the program as it was given: make would
# expand a $ in it.
variables := KDIR REV OUT TESTS AGAIN SIGNOFF MUTANTS KERNELS CHECKS FULL SEEDS FORMAT CPUS ROWS N TEST_ARGS WITHOUT PARTS RUNS KERNEL PUBLISH BUILD JOBS CROSS_COMPILE QEMU_ARGS TIMEOUT
$(foreach v,$(variables),$(if $(filter-out undefined,$(origin $v)),$(eval override $v := $$(value $v))))
export $(variables)

$(commands):
	@bin/$@

check-all:
	@bin/check --all
