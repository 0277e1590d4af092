// SPDX-License-Identifier: GPL-2.0
/*
 * The init of a machine whose kernel has the suite in a module, or is to run it
 * more than once. Of its environment, which the kernel's command line makes:
 *   again  the suite's file in KUnit's debugfs that lets it run again
 *   runs   how many times it is to run
 *   leaks  if set, kmemleak is to look for lost memory in the end
 * Built with the kernel's nolibc, so that no C library is needed.
 */
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

/* Kmemleak takes nothing for lost before it is some seconds old. */
static void scan_for_leaks(void)
{
	int fd = open("/debug/kmemleak", O_WRONLY);

	sleep(6);
	if (fd < 0 || write(fd, "scan", 4) != 4 || write(fd, "scan", 4) != 4)
		write_file("/dev/kmsg", "BUG: kmemleak does not scan");
	close(fd);
}

int main(void)
{
	const char *again = getenv("again"), *runs = getenv("runs");
	unsigned int i;

	for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		load(needed[i]);
	load_in_turn();
	mount("debugfs", "/debug", "debugfs", 0, 0);
	for (i = 1; again && runs && i < atoi(runs); i++)
		write_file(again, "1");
	if (getenv("leaks"))
		scan_for_leaks();
	reboot(LINUX_REBOOT_CMD_RESTART);
	return 1;
}
