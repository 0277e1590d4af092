// SPDX-License-Identifier: GPL-2.0-only
// Out of reach, there is no loop, and the lock belongs to a physical CPU, not to a vCPU:
// ACRN's pause_vcpu() wrote the state of a vCPU under the schedule lock of the CPU that
// it ran on, not of the vCPU's CPU (fixed in 2018, its PR 206).

struct sched {
	spinlock_t lock;
};

struct vcpu {
	int pcpu, state, prev_state;
};

static struct sched scheds[8];

void pause_one(struct vcpu *vcpu, int state)
{
	int here = this_cpu();

	spin_lock(&scheds[here].lock);
	vcpu->prev_state = vcpu->state;
	vcpu->state = state;
	spin_unlock(&scheds[here].lock);
}
