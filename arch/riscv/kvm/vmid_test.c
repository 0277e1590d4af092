// SPDX-License-Identifier: GPL-2.0
/* A case of the suite riscv_kvm_vcpu_locks, included by vmid.c. */

#include "vcpu_locks_test.h"

/* Another vCPU of the VM gets the new VMID. */
static void update_vmid(struct kunit_guarded *version, bool acquires)
{
	if (acquires && !version->taken)
		*(unsigned long *)version->field = vmid_version;
}

static bool request_missed;

/* Another vCPU that sees the new version must see the request for it. */
static void look_for_request(struct kunit_guarded *version, bool acquires)
{
	struct kvm *kvm = container_of(version->field, struct kvm, arch.vmid.vmid_version);
	struct test_vm *vm = container_of(kvm, struct test_vm, kvm);

	if (*(unsigned long *)version->field == vmid_version &&
	    !kvm_test_request(KVM_REQ_UPDATE_HGATP, vm->vcpus[0]))
		request_missed = true;
}

void kvm_test_vmid(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vmid *vmid = &vm->kvm.arch.vmid;
	struct kunit_guarded *version;

	if (!vmid_bits)
		kunit_skip(test, "needs VMIDs");
	kunit_guarded_by(test, &vmid_next, &vmid_lock, "all VMs");
	kunit_guarded_by(test, &vmid_version, &vmid_lock, "all VMs");
	kunit_guarded_by(test, &vmid->vmid, &vmid_lock, "the VM");
	version = kunit_guarded_by(test, &vmid->vmid_version, &vmid_lock, "the VM");
	version->on_event = look_for_request;
	request_missed = false;
	vmid_next = 5;
	kvm_test_locked(test, version, kvm_riscv_gstage_vmid_update(vm->vcpus[1]));
	KUNIT_EXPECT_EQ(test, vmid->vmid, 5);
	KUNIT_EXPECT_FALSE(test, request_missed);

	/* VMIDs have run out: all VMs get new ones. */
	vmid_next = 0;
	vmid->vmid_version = 0;
	kvm_test_locked(test, version, kvm_riscv_gstage_vmid_update(vm->vcpus[1]));
	KUNIT_EXPECT_EQ(test, vmid->vmid, 1);

	version->on_event = update_vmid;
	vmid->vmid_version = 0;
	kvm_test_locked(test, version, kvm_riscv_gstage_vmid_update(vm->vcpus[1]));
	KUNIT_EXPECT_EQ(test, vmid->vmid, 1);
}
