// SPDX-License-Identifier: GPL-2.0
/*
 * Symbols that are not exported.  kallsyms_lookup_name() is not itself, from
 * v5.7 on; a kprobe may be set on it, and then tells where it is.
 */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/kprobes.h>
#include "kunit_choice.h"
#include "symbol.h"

#define ENDBR64		0xfa1e0ff3u

typedef unsigned long (*lookup_fn)(const char *name);

#ifdef CONFIG_KPROBES
static lookup_fn find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long address;

	if (register_kprobe(&probe))
		return NULL;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	/* The probe sits behind ENDBR, which an indirect call has to land on */
	if (*(u32 *)(address - sizeof(u32)) == ENDBR64)
		address -= sizeof(u32);
	return (lookup_fn)address;
}
#else
static lookup_fn find_lookup(void)
{
	return NULL;
}
#endif

/* __nocfi: the address has no type that the compiler's check of indirect calls knows */
void *__nocfi coco_symbol(const char *name)
{
	static lookup_fn lookup;

	if (!lookup)
		lookup = find_lookup();
	return lookup ? (void *)lookup(name) : NULL;
}
EXPORT_SYMBOL_GPL(coco_symbol);

void *coco_need_symbol(struct kunit *test, const char *name)
{
	void *address = coco_symbol(name);

	KUNIT_ASSERT_NOT_NULL_MSG(test, address, "%s is not to be found", name);
	return address;
}
EXPORT_SYMBOL_GPL(coco_need_symbol);
