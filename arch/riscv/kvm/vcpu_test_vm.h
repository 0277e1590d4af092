/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM for KUnit suites. kvm_arch_vcpu_create() makes its vCPUs; they have no file
 * descriptor and never run. Tests refer to them by index, which differs from their
 * id.
 *
 * A suite has a table of functions that write mp_state. kvm_test_next_write() calls
 * them one after the other, and kvm_test_expect_*() checks what the last call did.
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
	unsigned long ext, fid, a0, a1, a2;	/* a0 of OTHER: the target's id */
	long error;				/* returned if there is nothing to write */
	u32 event;				/* type of the system event, if any */
	u64 reason;				/* ... and data[0] */
};

/* How kvm_test_next_write() makes mistakes show */
enum test_mode {
	PLAIN,		/* from either state, and watches the order of state and requests */
	POISONED,	/* from any state, overwritten whenever the lock is released */
	MEANWHILE,	/* the previous holder of each lock puts the vCPU into the other state */
};

struct test_vm {
	struct kvm kvm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	struct kunit_guarded *mp_states[KVM_MAX_VCPUS];
	const struct test_writer *writers;	/* the last one has no name */

	/* the last write */
	enum test_mode mode;
	unsigned int nr;
	const struct test_writer *writer;
	unsigned int caller, target;		/* the same except for OTHER */
	u32 from;				/* mp_state of each vCPU before */
	u32 found;				/* ... of the target when its lock was taken */
	long ret, answer;			/* of the SBI call: 0 to exit to userspace; a0 */
	struct kvm_vcpu *disordered;		/* state and request in the wrong order */
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
