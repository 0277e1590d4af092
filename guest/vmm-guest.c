// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of the guest of guest/vmm.c. It keeps all CPUs busy, says so, and then reboots
 * or powers off when told to on its console.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

/* Returns 1 once a busy loop runs on that CPU. */
static int keep_busy(int cpu)
{
	cpu_set_t set;
	int runs[2];
	int n;
	char c;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pipe(runs))
		return 0;
	if (!fork()) {
		if (!sched_setaffinity(0, sizeof(set), &set) && sched_getcpu() == cpu)
			write(runs[1], "", 1);
		close(runs[1]);
		for (;;)
			;
	}
	close(runs[1]);
	n = read(runs[0], &c, 1);
	close(runs[0]);
	return n == 1;
}

int main(void)
{
	char line[32];
	cpu_set_t set;
	int cpu, busy = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sched_getaffinity(0, sizeof(set), &set))
		perror("sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			busy += keep_busy(cpu);
	printf("guest up: %d CPUs busy\n", busy);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "reboot\n"))
			reboot(RB_AUTOBOOT);
		if (!strcmp(line, "poweroff\n"))
			reboot(RB_POWER_OFF);
	}
	return 1;
}
