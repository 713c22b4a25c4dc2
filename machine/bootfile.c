// SPDX-License-Identifier: GPL-2.0
/*
 * The files that QEMU gave this machine to boot: for a guest that starts the same
 * kernel again (kexec), without a copy in its initramfs.
 */
#include "control.h"
#include "core.h"

static const struct multiboot_module *files;
static u32 nfiles;

void bootfile_init(const u32 *multiboot)
{
	files = (void *)(u64)multiboot[MULTIBOOT_MODS_ADDR];
	nfiles = multiboot[MULTIBOOT_MODS_COUNT];
}

s64 bootfile_part(u32 nr, u64 offset, u64 size, const void **part)
{
	u64 all;

	if (nr >= nfiles)
		return -ENOENT;
	all = files[nr].end - files[nr].start;
	if (offset >= all)
		return 0;
	*part = (const void *)(files[nr].start + offset);
	return min(size, all - offset);
}
