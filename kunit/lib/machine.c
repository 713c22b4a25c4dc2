// SPDX-License-Identifier: GPL-2.0
/* Machine calls, behind a probe by CPUID. */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/printk.h>
#include "cpuid.h"
#include "machine.h"

static bool present;
static enum coco_personality personality;
static unsigned int cbit;

static bool signature_found(void)
{
	u32 eax, ebx, ecx, edx;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(COCO_CPUID_BASE, &eax, &ebx, &ecx, &edx);
	return eax >= COCO_CPUID_INFO && ebx == COCO_SIGNATURE_EBX && ecx == COCO_SIGNATURE_ECX &&
	       edx == COCO_SIGNATURE_EDX;
}

int coco_machine_probe(void)
{
	u32 version, ebx, ecx, edx;

	if (!signature_found())
		return 0;
	cpuid(COCO_CPUID_INFO, &version, &ebx, &ecx, &edx);
	if (version != COCO_ABI_VERSION) {
		pr_err("coco: the machine speaks version %u, these modules version %u\n", version,
		       COCO_ABI_VERSION);
		return -EPROTO;
	}
	personality = ebx;
	cbit = edx;
	present = true;
	return 0;
}

bool coco_machine(void)
{
	return present;
}
EXPORT_SYMBOL_GPL(coco_machine);

enum coco_personality coco_machine_personality(void)
{
	return personality;
}
EXPORT_SYMBOL_GPL(coco_machine_personality);

unsigned int coco_machine_cbit(void)
{
	return cbit;
}
EXPORT_SYMBOL_GPL(coco_machine_cbit);

static s64 call(enum coco_call_nr nr, u64 a, u64 b, u64 c)
{
	s64 result = COCO_CALL(nr);

	if (!present)
		return -ENODEV;
	asm volatile("vmmcall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "memory");
	return result;
}

/* For results that have no room for an error: counts */
static u64 call_unsigned(enum coco_call_nr nr, u64 a, u64 b, u64 c)
{
	return present ? call(nr, a, b, c) : 0;
}

s64 coco_put(char channel, const char *text, size_t len)
{
	return call(COCO_CALL_PUT, channel, (unsigned long)text, len);
}
EXPORT_SYMBOL_GPL(coco_put);

u64 coco_count(enum coco_event_kind kind, u64 code)
{
	return call_unsigned(COCO_CALL_COUNT, kind, code, 0);
}
EXPORT_SYMBOL_GPL(coco_count);

u64 coco_event_next(void)
{
	return call_unsigned(COCO_CALL_EVENT_NEXT, 0, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_event_next);

s64 coco_event(u64 seq, struct coco_event *event)
{
	return call(COCO_CALL_EVENT, seq, (unsigned long)event, 0);
}
EXPORT_SYMBOL_GPL(coco_event);

u64 coco_breaches(void)
{
	return call_unsigned(COCO_CALL_BREACHES, 0, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_breaches);

s64 coco_rule_add(const struct coco_rule *rule)
{
	return call(COCO_CALL_RULE_ADD, (unsigned long)rule, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_rule_add);

u64 coco_rule_hits(s64 id)
{
	return call_unsigned(COCO_CALL_RULE_HITS, id, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_rule_hits);

u64 coco_rule_del(s64 id)
{
	return call_unsigned(COCO_CALL_RULE_DEL, id, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_rule_del);

s64 coco_inject(const struct coco_inject *inject)
{
	return call(COCO_CALL_INJECT, (unsigned long)inject, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_inject);

s64 coco_expect(enum coco_end end, u64 value, u64 mask)
{
	return call(COCO_CALL_EXPECT, end, value, mask);
}
EXPORT_SYMBOL_GPL(coco_expect);

s64 coco_expect_breach(enum coco_breach breach, u64 count)
{
	return call(COCO_CALL_EXPECT_BREACH, breach, count, 0);
}
EXPORT_SYMBOL_GPL(coco_expect_breach);

s64 coco_warp(u64 nanoseconds)
{
	return call(COCO_CALL_WARP, nanoseconds, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_warp);

s64 coco_translate(const void *address)
{
	return call(COCO_CALL_TRANSLATE, (unsigned long)address, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_translate);

s64 coco_page_state(u64 gpa)
{
	return call(COCO_CALL_PAGE_STATE, gpa, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_page_state);

s64 coco_page_set(u64 gpa, u32 flags)
{
	return call(COCO_CALL_PAGE_SET, gpa, flags, 0);
}
EXPORT_SYMBOL_GPL(coco_page_set);

s64 coco_page_find(u64 gpa, u32 mask, u32 flags)
{
	return call(COCO_CALL_PAGE_FIND, gpa, mask, flags);
}
EXPORT_SYMBOL_GPL(coco_page_find);

s64 coco_page_used(u64 gpa)
{
	return call(COCO_CALL_PAGE_USED, gpa, 0, 0);
}
EXPORT_SYMBOL_GPL(coco_page_used);

s64 coco_host_read(u64 gpa, void *buf, size_t len)
{
	return call(COCO_CALL_HOST_READ, gpa, (unsigned long)buf, len);
}
EXPORT_SYMBOL_GPL(coco_host_read);

s64 coco_host_write(u64 gpa, const void *buf, size_t len)
{
	return call(COCO_CALL_HOST_WRITE, gpa, (unsigned long)buf, len);
}
EXPORT_SYMBOL_GPL(coco_host_write);

s64 coco_watch(const void *address, size_t len)
{
	return call(COCO_CALL_WATCH, (unsigned long)address, len, 0);
}
EXPORT_SYMBOL_GPL(coco_watch);
