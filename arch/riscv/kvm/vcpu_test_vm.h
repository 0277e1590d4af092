/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM for KUnit suites. Its vCPUs are made by kvm_arch_vcpu_create(); they belong to
 * no file descriptor and never run. Tests name them by their index, from which their
 * id differs.
 */
#ifndef __RISCV_KVM_VCPU_TEST_VM_H__
#define __RISCV_KVM_VCPU_TEST_VM_H__

#include <kunit/guarded.h>
#include <linux/kvm_host.h>

#define NR_VCPUS	4

/* A state that KVM never writes, so that whatever it writes shows. */
#define MP_STATE_POISON	0xa5a5a5a5U

struct test_vm {
	struct kvm kvm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpus;
	struct kunit_guarded **mp_states;	/* the guard of each vCPU's mp_state */
	u32 before;				/* mp_state of each vCPU before the call */
	u32 meanwhile;				/* for kvm_test_write_meanwhile() */
	unsigned long slept_early, started_early;	/* bit i: vCPU i; kvm_test_check_order() */
};

static inline u32 mp_state(struct test_vm *vm, unsigned int i)
{
	return READ_ONCE(vm->vcpus[i].arch.mp_state.mp_state);
}

struct test_vm *kvm_test_create_vm(struct kunit *test, unsigned int nr_vcpus);
int kvm_test_init_vm(struct kunit *test);
void kvm_test_prepare(struct test_vm *vm, unsigned int caller, u32 state);
void kvm_test_poison(struct test_vm *vm);
void kvm_test_write_meanwhile(struct kunit *test, struct kunit_guarded *acquired);
void kvm_test_check_order(struct kunit *test, struct kunit_guarded *acquired);
void kvm_test_expect_states(struct kunit *test, u32 state);
void kvm_test_expect_event(struct kunit *test, unsigned int caller, u32 type, u64 reason);

#endif
