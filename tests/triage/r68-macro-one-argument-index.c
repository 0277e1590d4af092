// Base: 6.12.8
// Right: fixed
// Triage: unknown

#define HSM_ENTER(n) spin_lock(&kvm_get_vcpu(vcpu->kvm, n)->arch.mp_state_lock)
#define HSM_EXIT(n) spin_unlock(&kvm_get_vcpu(vcpu->kvm, n)->arch.mp_state_lock)

void kvm_riscv_vcpu_sbi_system_reset(struct kvm_vcpu *vcpu,
				     struct kvm_run *run,
				     u32 type, u64 reason)
{
	unsigned long i;
	struct kvm_vcpu *tmp;

	for (i = 0; i < vcpu->kvm->online_vcpus; i++) {
		tmp = kvm_get_vcpu(vcpu->kvm, i);
		HSM_ENTER(i);
		WRITE_ONCE(tmp->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);
		HSM_EXIT(i);
	}
	kvm_make_all_cpus_request(vcpu->kvm, KVM_REQ_SLEEP);

	memset(&run->system_event, 0, sizeof(run->system_event));
	run->system_event.type = type;
	run->system_event.ndata = 1;
	run->system_event.data[0] = reason;
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
}
