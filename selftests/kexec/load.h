/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second kernel, by kexec: the same as the first one, from the machine's own
 * copy, with this program as its init.
 *
 *	first kernel	test: second_load(), second_start()
 *	second kernel	second_main(), which ends the run by machine_exit(): with
 *			SECOND_OK, which the test has said is a pass, or otherwise
 *
 * Included by a suite's one file, which defines second_main().  That gives NULL, or
 * what is wrong.
 */
#ifndef COCO_KEXEC_LOAD_H
#define COCO_KEXEC_LOAD_H

#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/compiler.h"
#include "../lib/machine.h"

#define SECOND_OK	0x2d
#define SECOND_WRONG	1
#define PART		0x10000

static const char *second_main(void);

/* 0 or -errno */
static int copy_file(const char *path, int64_t (*get)(void *buf, size_t size, uint64_t offset))
{
	static unsigned char part[PART];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int64_t n, offset = 0;

	if (fd < 0)
		return -errno;
	while ((n = get(part, sizeof(part), offset)) > 0) {
		if (write(fd, part, n) != n) {
			n = -errno;
			break;
		}
		offset += n;
	}
	close(fd);
	return n;
}

static int open_copy(const char *path, int64_t (*get)(void *buf, size_t size, uint64_t offset))
{
	int error = copy_file(path, get), fd;

	fd = error ? error : open(path, O_RDONLY);
	unlink(path);
	return fd;
}

/* This kernel's, and then this program as the other one's init, and what the test has to tell it */
static void second_command_line(const char *words, char *text, size_t size)
{
	char program[256];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	FILE *file = fopen("/proc/cmdline", "r");

	program[n > 0 ? n : 0] = '\0';
	text[0] = '\0';
	if (file && fgets(text, size, file))
		text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
	n = strlen(text);
	snprintf(text + n, size - n, " rdinit=%s %s", program, words);
}

/* Once more, too: what was loaded before is forgotten.  0 or -errno */
static __maybe_unused int second_load(unsigned long flags, const char *words)
{
	static int kernel = -1, initramfs = -1;
	char cmdline[4096];

	if (kernel < 0)
		kernel = open_copy("/tmp/kernel", machine_kernel);
	if (initramfs < 0)
		initramfs = open_copy("/tmp/initramfs", machine_initramfs);
	if (kernel < 0 || initramfs < 0)
		return kernel < 0 ? kernel : initramfs;
	second_command_line(words, cmdline, sizeof(cmdline));
	if (syscall(SYS_kexec_file_load, kernel, initramfs, strlen(cmdline) + 1, cmdline, flags))
		return -errno;
	return 0;
}

/* A test that loads a kernel, which takes a busy host its time */
#define SECOND_TIMEOUT	120
#define TEST_SECOND(name)	TEST_F_TIMEOUT(second, name, SECOND_TIMEOUT)

FIXTURE(second) { };
FIXTURE_SETUP(second) { }
FIXTURE_TEARDOWN(second) { }

/* In the second kernel: what follows this word of its command line, or NULL */
static __maybe_unused const char *second_word(const char *word)
{
	static char text[4096];
	const char *found;
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	found = strstr(text, word);
	return found ? found + strlen(word) : NULL;
}

/* A line of /proc/meminfo; -1: there is none */
static __maybe_unused long long meminfo_kib(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	size_t len = strlen(name);
	long long kib = -1;
	char line[256];

	while (file && kib < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len))
			kib = strtoll(line + len, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

/* Memory that is used, as far as it goes: a page in a wrong state is found by its use */
static __maybe_unused const char *use_memory(void)
{
	size_t size = sysconf(_SC_AVPHYS_PAGES) * getpagesize() / 4 * 3, i;
	uint64_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return "no memory";
	for (i = 0; i < size / sizeof(*p); i += 64)
		p[i] = i + 1;
	for (i = 0; i < size / sizeof(*p); i += 64)
		if (p[i] != i + 1)
			return "memory that does not hold what is written";
	return NULL;
}

/* What was loaded; it is to end the run with this exit code.  Comes back with -errno, or never */
static __maybe_unused int second_start(uint64_t code)
{
	if (machine_expect(COCO_END_EXIT, code, ~0ull))
		return -EIO;
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return -errno;
}

static void __constructor second_kernel(void)
{
	const char *wrong;
	char line[256];

	if (getpid() != 1)
		return;
	mount("proc", "/proc", "proc", 0, NULL);
	wrong = machine_present() ? second_main() : "the machine is gone";
	if (wrong) {
		snprintf(line, sizeof(line), "# second kernel: %s\n", wrong);
		machine_put(COCO_CHAN_TEST, line, strlen(line));
	}
	machine_exit(wrong ? SECOND_WRONG : SECOND_OK);
}

#endif /* COCO_KEXEC_LOAD_H */
