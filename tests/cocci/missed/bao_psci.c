// SPDX-License-Identifier: GPL-2.0-only
// Out of reach, there is no loop: bao-hypervisor's handler of PSCI CPU_ON wrote the state
// and entry point of the target vCPU under the caller's lock (fixed in 2026, its PR 387).

struct psci {
	spinlock_t lock;
	int state;
	unsigned long entry;
};

struct vcpu {
	struct psci psci;
};

int cpu_on(struct vcpu *caller, unsigned long id, unsigned long entry)
{
	struct vcpu *target = find_vcpu(caller, id);
	int ret = ALREADY_ON;

	if (!target)
		return INVALID_PARAMETERS;
	spin_lock(&caller->psci.lock);
	if (target->psci.state == OFF) {
		target->psci.state = ON_PENDING;
		target->psci.entry = entry;
		ret = SUCCESS;
	}
	spin_unlock(&caller->psci.lock);
	return ret;
}
