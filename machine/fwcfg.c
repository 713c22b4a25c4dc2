// SPDX-License-Identifier: GPL-2.0
/*
 * Files that the host side hands in: QEMU's fw_cfg device (docs/specs/fw_cfg).
 * The directory is read each time, because a restored snapshot has other files.
 */
#include "core.h"

#define SELECTOR	0x510
#define DATA		0x511
#define NO_ITEM		(-1)

/* Where fwcfg_item() left the device */
static struct {
	int key;
	u64 offset;
} position = { .key = NO_ITEM };

static void data_read(void *buf, size_t n)
{
	asm volatile("rep insb" : "+D"(buf), "+c"(n) : "d"(DATA) : "memory");
}

bool fwcfg_find(const char *name, struct fwcfg_file *file)
{
	u32 count;

	position.key = NO_ITEM;
	outw(SELECTOR, FWCFG_FILE_DIR);
	data_read(&count, sizeof(count));
	for (count = __builtin_bswap32(count); count; count--) {
		data_read(file, sizeof(*file));
		if (!strncmp(file->name, name, sizeof(file->name)))
			return true;
	}
	return false;
}

int fwcfg_read(const char *name, void *buf, size_t size, u64 offset)
{
	struct fwcfg_file file;
	u64 length;

	if (!fwcfg_find(name, &file))
		return -ENOENT;
	length = __builtin_bswap32(file.size);
	if (offset >= length)
		return 0;
	if (size > length - offset)
		size = length - offset;
	fwcfg_item(__builtin_bswap16(file.select), offset, buf, size);
	return size;
}

void fwcfg_item(u16 key, u64 offset, void *buf, size_t size)
{
	if (position.key != key || !offset || position.offset > offset) {
		outw(SELECTOR, key);
		position.key = key;
		position.offset = 0;
	}
	for (; position.offset < offset; position.offset++)
		inb(DATA);
	data_read(buf, size);
	position.offset += size;
}
