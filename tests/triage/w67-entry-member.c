// Base: 6.12.8
// Right: vulnerable
// Triage: unknown

void kvm_riscv_vcpu_sbi_system_reset(struct kvm_vcpu *vcpu,
				     struct kvm_run *run,
				     u32 type, u64 reason)
{
	unsigned long i;
	struct kvm_vcpu *tmp;
	struct vcpu_entry *e;
	(void)i; (void)tmp;

	e = list_first(&vcpu->node);
	spin_lock(&e->vcpu->arch.mp_state_lock);
	list_for_each_entry(e, &vcpu->node, node)
		WRITE_ONCE(e->vcpu->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);
	e = list_first(&vcpu->node);
	spin_unlock(&e->vcpu->arch.mp_state_lock);
	kvm_make_all_cpus_request(vcpu->kvm, KVM_REQ_SLEEP);

	memset(&run->system_event, 0, sizeof(run->system_event));
	run->system_event.type = type;
	run->system_event.ndata = 1;
	run->system_event.data[0] = reason;
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
}
