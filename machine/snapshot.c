// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots.  QEMU can save a CPU, but not restore one, that is inside a
 * guest, so every CPU must be in the machine when QEMU stops.  A write to
 * the pvpanic port stops it there and then (-action panic=pause); the host
 * saves the process and continues it, or another one from what it saved.
 */
#include "control.h"

#define PVPANIC_PORT		0x505
#define PVPANIC_PANICKED	1
#define RESUMED			"opt/coco/resumed"

s64 snapshot_take(struct vcpu *v)
{
	u8 byte;

	if (!config.snapshot)
		return -ENOTSUP;
	/*
	 * Ends every other vCPU's stay in the guest, and the lock keeps it out.  Those that sleep
	 * or were never started are in the machine already.
	 */
	vcpus_flush(v);
	stream_line('m', "snapshot");
	outb(PVPANIC_PORT, PVPANIC_PANICKED);
	cpu_relax();		/* QEMU stops a CPU between its translation blocks: end this one */
	/* From here on this may be another process, with other fw_cfg files */
	if (fwcfg_read(RESUMED, &byte, sizeof(byte), 0) < 0)
		return 0;
	stream_line('m', "resumed");
	return 1;
}
