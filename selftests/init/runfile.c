// SPDX-License-Identifier: GPL-2.0
/*
 * The run file: from the machine; on plain QEMU from its fw_cfg device, by the
 * kernel's driver or by hand; else a file of the image.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#include "init.h"

#define FW_CFG_NAME	"opt/coco/run"
#define FW_CFG_SYSFS	"/sys/firmware/qemu_fw_cfg/by_name/" FW_CFG_NAME "/raw"
#define FW_CFG_SELECT	0x510	/* QEMU docs/specs/fw_cfg: selector, 16 bits */
#define FW_CFG_DATA	0x511
#define FW_CFG_SIGNATURE 0
#define FW_CFG_DIR	0x19
#define IN_IMAGE	"/coco/run"

#define RUN_FILE_MAX	65536

struct fw_cfg_file {
	uint32_t size;		/* big endian */
	uint16_t select;	/* big endian */
	uint16_t reserved;
	char name[56];
};

static char text[RUN_FILE_MAX];

static ssize_t from_machine(void)
{
	size_t n = 0;
	int64_t part;

	while (n < sizeof(text) - 1) {
		part = machine_get(text + n, sizeof(text) - 1 - n, n);
		if (part <= 0)
			return n ? (ssize_t)n : part;
		n += part;
	}
	return n;
}

static ssize_t from_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t part, n = 0;

	if (fd < 0)
		return -1;
	while ((size_t)n < sizeof(text) - 1 && (part = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += part;
	close(fd);
	return n;
}

static ssize_t from_fw_cfg_ports(void)
{
	struct fw_cfg_file file;
	char signature[4];
	uint32_t count;

	if (ioperm(FW_CFG_SELECT, 2, 1))
		return -1;
	outw(FW_CFG_SIGNATURE, FW_CFG_SELECT);
	insb(FW_CFG_DATA, signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)))
		return -1;
	outw(FW_CFG_DIR, FW_CFG_SELECT);
	insb(FW_CFG_DATA, &count, sizeof(count));
	for (count = ntohl(count); count; count--) {
		insb(FW_CFG_DATA, &file, sizeof(file));
		file.size = ntohl(file.size);
		if (strncmp(file.name, FW_CFG_NAME, sizeof(file.name)) || file.size >= sizeof(text))
			continue;
		outw(ntohs(file.select), FW_CFG_SELECT);
		insb(FW_CFG_DATA, text, file.size);
		return file.size;
	}
	return -1;
}

const char *run_file(void)
{
	ssize_t n;

	if (machine_present())
		n = from_machine();
	else
		n = from_file(FW_CFG_SYSFS);
	if (n < 0 && !machine_present())
		n = from_fw_cfg_ports();
	if (n < 0)
		n = from_file(IN_IMAGE);
	if (n < 0)
		out("note : no run file: neither fw_cfg " FW_CFG_NAME " nor " IN_IMAGE);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}
