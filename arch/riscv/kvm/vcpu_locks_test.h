/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases of the suite riscv_kvm_vcpu_locks that need static symbols of another file. That
 * file includes them: vmid.c includes vmid_test.c, and so on.
 */
#ifndef __RISCV_KVM_VCPU_LOCKS_TEST_H__
#define __RISCV_KVM_VCPU_LOCKS_TEST_H__

#include "vcpu_test_vm.h"

/*
 * Run @statement. Expect it to take the lock of @g, and to write each watched field only
 * under its lock.
 */
#define kvm_test_locked(test, g, statement) do {				\
	struct kunit *__test = (test);						\
										\
	kunit_guarded_watch(__test, "%s", #statement)				\
		statement;							\
	kunit_expect_guarded(__test);						\
	KUNIT_EXPECT_NE_MSG(__test, (g)->taken, 0, "does not take the lock: %s", #statement); \
} while (0)

void kvm_test_vmid(struct kunit *test);
void kvm_test_hgei(struct kunit *test);
void kvm_test_aplic(struct kunit *test);
void kvm_test_imsic_vsfile(struct kunit *test);
void kvm_test_imsic_vsfile_readers(struct kunit *test);
void kvm_test_imsic_extirq(struct kunit *test);

#endif
