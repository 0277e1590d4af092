// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of a machine whose kernel has the suites in a module, or is to run them
 * more than once, or is to run a selftest. Of its environment, which the kernel's
 * command line makes:
 *   runs      how many times the suites are to run, by KUnit's debugfs
 *   hotplug   if set, CPUs go offline and online meanwhile
 *   leaks     if set, kmemleak is to look for lost memory in the end
 *   order     if set, /proc/lockdep goes to the console in the end
 *   selftest  a program, of which /selftest is to run
 *   with      its arguments, with spaces between
 * Built with the kernel's nolibc, so that no C library is needed.
 */
#include <linux/kvm.h>
#include <linux/reboot.h>

/* What KVM needs, in this order; a kernel has those it has. */
static const char *const needed[] = { "/kunit.ko", "/irqbypass.ko" };

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	if (syscall(__NR_finit_module, fd, "", 0))
		perror(path);
	close(fd);
}

static void unload(const char *name)
{
	if (syscall(__NR_delete_module, name, 0))
		perror(name);
}

/*
 * /kvm.list names modules of KVM, a line each, of which the kernel can have one at a
 * time. Each name goes to the kernel's log, to show what follows from which.
 */
static void load_in_turn(void)
{
	static char list[16384];
	char *name = list, *end;
	int fd = open("/kvm.list", O_RDONLY);

	if (fd < 0 || read(fd, list, sizeof(list) - 1) < 0)
		perror("/kvm.list");
	for (; (end = strchr(name, '\n')); name = end + 1) {
		*end = 0;
		write_file("/dev/kmsg", name);
		load(name);
		if (end[1])
			unload("kvm");
	}
	close(fd);
}

static void run_again(void)
{
	write_file("/debug/kunit/riscv_kvm_vcpu_sbi/run", "1");
	write_file("/debug/kunit/riscv_kvm_vcpu_mp_state/run", "1");
	write_file("/debug/kunit/riscv_kvm_vcpu_locks/run", "1");
}

/* Take the CPUs but the first offline, one after another, and online again. */
static pid_t start_hotplug(void)
{
	char path[] = "/sys/devices/system/cpu/cpu1/online", *cpu = strchr(path, '1');
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;; *cpu = *cpu == '3' ? '1' : *cpu + 1) {
		write_file(path, "0");
		write_file(path, "1");
	}
}

/* Kmemleak takes nothing for lost before it is some seconds old. */
static void scan_for_leaks(void)
{
	int fd = open("/debug/kmemleak", O_WRONLY);

	sleep(6);
	if (fd < 0 || write(fd, "scan", 4) != 4 || write(fd, "scan", 4) != 4)
		write_file("/dev/kmsg", "BUG: kmemleak does not scan");
	close(fd);
}

/* Have userspace's ioctls write the state of a vCPU, which the suites cannot. */
static void set_mp_state(void)
{
	struct kvm_mp_state state = { KVM_MP_STATE_STOPPED };
	int kvm = open("/dev/kvm", O_RDWR);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int first = ioctl(vm, KVM_CREATE_VCPU, 0);
	int second = ioctl(vm, KVM_CREATE_VCPU, 1);

	if (ioctl(first, KVM_SET_MP_STATE, &state) || ioctl(second, KVM_SET_MP_STATE, &state))
		perror("KVM_SET_MP_STATE");
}

static void show_lock_order(void)
{
	static char buffer[4096];
	int fd, n;

	set_mp_state();
	fd = open("/proc/lockdep", O_RDONLY);
	if (fd < 0)
		perror("/proc/lockdep");
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		write(1, buffer, n);
	close(fd);
}

/* What it prints goes to the console, between two lines that name it. */
static void run_selftest(const char *name, char *arguments)
{
	char *argv[32] = { "/bin/sh", "/selftest" }, *envp[] = { "HOME=/", NULL };
	unsigned int n = 2;
	int status = 0;
	pid_t pid;

	while (arguments && n < sizeof(argv) / sizeof(*argv) - 1) {
		argv[n++] = arguments;
		arguments = strchr(arguments, ' ');
		if (arguments)
			*arguments++ = 0;
	}
	printf("# selftest %s begins\n", name);
	pid = fork();
	if (!pid) {
		execve("/selftest", argv + 1, envp);
		/* A script, and this kernel leaves those to a shell. */
		execve("/bin/sh", argv, envp);
		perror("/selftest");
		exit(127);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		printf("# selftest %s exits with %d\n", name, WEXITSTATUS(status));
	else
		printf("# selftest %s is killed by signal %d\n", name, WTERMSIG(status));
}

int main(void)
{
	const char *runs = getenv("runs");
	char *selftest = getenv("selftest");
	pid_t hotplug = 0;
	unsigned int i;

	for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		load(needed[i]);
	load_in_turn();
	mount("debugfs", "/debug", "debugfs", 0, 0);
	mount("proc", "/proc", "proc", 0, 0);
	mount("sysfs", "/sys", "sysfs", 0, 0);
	if (getenv("hotplug"))
		hotplug = start_hotplug();
	for (i = 1; runs && i < atoi(runs); i++)
		run_again();
	if (hotplug)
		kill(hotplug, SIGKILL);
	if (getenv("leaks"))
		scan_for_leaks();
	if (getenv("order"))
		show_lock_order();
	if (selftest)
		run_selftest(selftest, getenv("with"));
	reboot(LINUX_REBOOT_CMD_RESTART);
	return 1;
}
