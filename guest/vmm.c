// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset a guest under a stock VMM, QEMU: the guest resets itself through the SBI, or
 * QEMU's monitor resets it. This program takes the place of a selftest in the emulated
 * machine, and prints TAP. bin/vmm puts QEMU and the guest's kernel and initramfs
 * (guest/vmm-guest.c) into that machine.
 *   -n resets  (10)            -t seconds in which the guest must be up again (120)
 *   -v vCPUs   (4)             -a an argument for the guest's kernel
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef QEMU
#define QEMU "/qemu-system-riscv64"
#define KVM "/dev/kvm"
#endif

/* Without these drivers, the guest resets itself through the SBI, not QEMU's device. */
#define APPEND "console=ttyS0 loglevel=5 kunit.enable=0 initcall_blacklist=syscon_reboot_driver_init,syscon_poweroff_driver_init "

static int resets = 10, vcpus = 4, limit = 120;
static const char *append = "";
static const char *name;
static pid_t qemu;
static int to_qemu, from_qemu;

/* What QEMU prints, a line at a time; the last one may not be complete. */
static char line[512];
static size_t length;

static void start_qemu(void)
{
	char smp[8], kernel_args[512];
	char *argv[] = {
		QEMU, "-machine", "virt", "-accel", "kvm", "-cpu", "host", "-smp", smp, "-m", "256",
		"-nodefaults", "-display", "none", "-serial", "mon:stdio", "-kernel", "/guest/Image",
		"-initrd", "/guest/initramfs", "-append", kernel_args, NULL
	};
	int in[2], out[2];

	snprintf(smp, sizeof(smp), "%d", vcpus);
	snprintf(kernel_args, sizeof(kernel_args), APPEND "%s", append);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (qemu = fork()) < 0) {
		perror("# cannot start QEMU");
		exit(1);
	}
	if (!qemu) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		execv(QEMU, argv);
		perror(QEMU);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_qemu = in[1];
	from_qemu = out[0];
	length = 0;
}

/* Print the line, unless it has escape sequences, such as the monitor's echo. */
static void show(void)
{
	size_t i;

	if (length && memchr(line, '\33', length))
		length = 0;
	for (i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	if (length)
		printf("# qemu: %s\n", line);
	length = 0;
	line[0] = 0;
}

/* Wait for a line with these words, or for QEMU to end if NULL. Returns 0 on failure. */
static int wait_for(const char *words, int seconds)
{
	struct pollfd poll_qemu = { .fd = from_qemu, .events = POLLIN };
	time_t end = time(NULL) + seconds;
	char c;

	for (;;) {
		int left = end - time(NULL), seen;

		if (left <= 0 || !poll(&poll_qemu, 1, left * 1000)) {
			show();
			printf("# %s: no '%s' within %d s\n", name, words ? words : "end of QEMU", seconds);
			printf("# %s: Test terminated by timeout\n", name);
			return 0;
		}
		if (read(from_qemu, &c, 1) != 1) {
			show();
			if (words)
				printf("# %s: QEMU ended, no '%s'\n", name, words);
			return !words;
		}
		if (c != '\n' && length < sizeof(line) - 1) {
			line[length++] = c;
			line[length] = 0;
			continue;
		}
		seen = words && strstr(line, words);
		show();
		if (seen)
			return 1;
	}
}

static int tell(const char *text)
{
	return write(to_qemu, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Control-A c switches between the guest's console and QEMU's monitor. */
static int tell_monitor(const char *text)
{
	return tell("\1c") && tell(text) && tell("\1c");
}

static int run(int (*reset)(const char *), const char *how)
{
	char up[32];
	int i, status;

	snprintf(up, sizeof(up), "guest up: %d CPUs busy", vcpus);
	for (i = 0; i <= resets; i++) {
		if (!wait_for(up, limit))
			return 0;
		printf("# %s: up %d times\n", name, i + 1);
		/* Reset at a different moment each time. */
		usleep(i * 30000);
		if (i < resets ? !reset(how) : !tell("poweroff\n"))
			return 0;
	}
	if (!wait_for(NULL, limit) || waitpid(qemu, &status, 0) != qemu)
		return 0;
	qemu = 0;
	if (status)
		printf("# %s: QEMU ended with wait status %#x\n", name, status);
	return !status;
}

static int number, failed;

static void test(const char *test, int (*reset)(const char *), const char *how)
{
	int ok;

	name = test;
	printf("#  RUN           %s ...\n", name);
	start_qemu();
	ok = run(reset, how);
	if (qemu > 0) {
		kill(qemu, SIGKILL);
		waitpid(qemu, NULL, 0);
	}
	close(to_qemu);
	close(from_qemu);
	failed += !ok;
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++number, name);
}

int main(int argc, char *argv[])
{
	int option;

	while ((option = getopt(argc, argv, "n:v:t:a:")) != -1) {
		switch (option) {
		case 'n': resets = atoi(optarg); break;
		case 'v': vcpus = atoi(optarg); break;
		case 't': limit = atoi(optarg); break;
		case 'a': append = optarg; break;
		default: return 1;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	puts("TAP version 13");
	if (open(KVM, O_RDWR | O_CLOEXEC) < 0) {
		printf("1..0 # SKIP Cannot open " KVM ": %s\n", strerror(errno));
		return 4;
	}
	puts("1..2");
	test("guest_reboots", tell, "reboot\n");
	test("monitor_resets", tell_monitor, "system_reset\n");
	return !!failed;
}
