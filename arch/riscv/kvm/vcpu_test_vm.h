/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM for KUnit suites. Its vCPUs are created by kvm_arch_vcpu_create(); they have no
 * file descriptor and never run. Tests refer to them by vcpu_idx, which differs from
 * vcpu_id.
 *
 * A suite has a table of functions that write mp_state. Each kvm_test_next_write() calls
 * one of them, and kvm_test_expect_*() checks what that call did.
 */
#ifndef __RISCV_KVM_VCPU_TEST_VM_H__
#define __RISCV_KVM_VCPU_TEST_VM_H__

#include <kunit/guarded.h>
#include <linux/kvm_host.h>

#define NR_VCPUS	4

struct test_writer {
	const char *name;
	enum { CALLER, CALLER_UNLESS_FIRST, OTHER, ALL, NOBODY } targets; /* whose mp_state */
	u32 to;					/* its new value */
	void (*write)(struct kvm_vcpu *caller);	/* NULL: the caller makes this SBI call */
	unsigned long ext, fid, a0, a1, a2;	/* for OTHER, a0 is the target's id */
	long error;				/* returned if there is nothing to write */
	u32 event;				/* type of the system event, if any */
	u64 reason;				/* its data[0] */
};

/* How kvm_test_next_write() exposes bugs */
enum test_mode {
	PLAIN,		/* check the order of state and requests */
	POISONED,	/* overwrite the state whenever its lock is released */
	MEANWHILE,	/* the previous holder of each lock changes the state */
};

struct test_vm {
	struct kvm kvm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	struct kunit_guarded *mp_states[KVM_MAX_VCPUS];
	const struct test_writer *writers;	/* ends with one without a name */

	/* the last write */
	enum test_mode mode;
	unsigned int nr;
	const struct test_writer *writer;
	unsigned int caller, target;		/* the same except for OTHER */
	u32 from;				/* each vCPU's mp_state before the write */
	u32 found;				/* the target's, when its lock was taken */
	long ret, answer;			/* of the SBI call: handler's return value; a0 */
	struct kvm_vcpu *disordered;		/* its state and request were out of order */
};

static inline u32 mp_state(struct test_vm *vm, unsigned int i)
{
	return READ_ONCE(vm->vcpus[i]->arch.mp_state.mp_state);
}

struct test_vm *kvm_test_create_vm(struct kunit *test, unsigned int nr_vcpus,
				   const struct test_writer *writers);
int kvm_test_ecall(struct kvm_vcpu *vcpu, const struct test_writer *call, unsigned long a0);
void kvm_test_write(struct kunit *test);
bool kvm_test_next_write(struct kunit *test, enum test_mode mode);
void kvm_test_expect_states(struct kunit *test);
void kvm_test_expect_requests(struct kunit *test);
void kvm_test_expect_event(struct kunit *test);

#endif
