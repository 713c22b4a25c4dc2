/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software machine as user space sees it: the probe and every machine
 * call (machine/include/coco_abi.h).
 *
 * The machine reads and writes through the caller's page tables and takes no
 * page faults, hence every buffer is touched first.  Nothing here runs VMMCALL
 * before the probe has found the signature: elsewhere it would reach a real
 * hypervisor.  Without the machine each call returns -ENODEV.
 */
#ifndef COCO_MACHINE_H
#define COCO_MACHINE_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "coco_abi.h"
#include "insn.h"

#define MACHINE_PAGE	4096

static __maybe_unused bool machine_present(void)
{
	static int present = -1;
	struct cpuid c;

	if (present < 0) {
		c = cpuid(COCO_CPUID_BASE, 0);
		present = c.ebx == COCO_SIGNATURE_EBX && c.ecx == COCO_SIGNATURE_ECX &&
			  c.edx == COCO_SIGNATURE_EDX && c.eax >= COCO_CPUID_INFO;
	}
	return present;
}

/* -1: there is no machine to say so */
static __maybe_unused int machine_personality(void)
{
	return machine_present() ? (int)cpuid(COCO_CPUID_INFO, 0).ebx : -1;
}

/* Position of the C-bit or shared bit; 0 in a personality that has none */
static __maybe_unused unsigned int machine_cbit(void)
{
	return machine_present() ? cpuid(COCO_CPUID_INFO, 0).edx : 0;
}

static __maybe_unused const char *personality_name(int personality)
{
	static const char * const names[] = { "none", "sev", "sev-es", "sev-snp", "tdx" };

	if (personality < 0 || (size_t)personality >= ARRAY_SIZE(names))
		return "unknown";
	return names[personality];
}

static __maybe_unused
int64_t machine_call(uint32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t result;

	if (!machine_present())
		return -ENODEV;
	asm volatile("vmmcall" : "=a"(result) : "a"(COCO_CALL((uint64_t)nr)), "D"(a), "S"(b), "d"(c) : "memory");
	return result;
}

/* ---- buffers: present, and writable where the machine writes ---- */
static inline uint64_t buffer_in(const void *p, size_t len)
{
	const volatile char *byte = p;
	size_t i;

	for (i = 0; i < len; i += MACHINE_PAGE)
		(void)byte[i];
	if (len)
		(void)byte[len - 1];
	return (uintptr_t)p;
}

static inline uint64_t buffer_out(void *p, size_t len)
{
	volatile char *byte = p;
	size_t i;

	for (i = 0; i < len; i += MACHINE_PAGE)
		byte[i] = byte[i];
	if (len)
		byte[len - 1] = byte[len - 1];
	return (uintptr_t)p;
}

/* ---- the host side ---- */
static inline int64_t machine_version(void)
{
	return machine_call(COCO_CALL_VERSION, 0, 0, 0);
}

static inline int64_t machine_put(char channel, const void *text, size_t len)
{
	return machine_call(COCO_CALL_PUT, (unsigned char)channel, buffer_in(text, len), len);
}

static inline int64_t machine_get(void *buf, size_t size, uint64_t offset)
{
	return machine_call(COCO_CALL_GET, buffer_out(buf, size), size, offset);
}

/* The kernel that was booted, and its initramfs */
static inline int64_t machine_kernel(void *buf, size_t size, uint64_t offset)
{
	return machine_call(COCO_CALL_KERNEL, buffer_out(buf, size), size, offset);
}

static inline int64_t machine_initramfs(void *buf, size_t size, uint64_t offset)
{
	return machine_call(COCO_CALL_INITRAMFS, buffer_out(buf, size), size, offset);
}

static inline int64_t machine_snapshot(void)
{
	return machine_call(COCO_CALL_SNAPSHOT, 0, 0, 0);
}

static inline int64_t machine_exit(uint64_t code)
{
	return machine_call(COCO_CALL_EXIT, code, 0, 0);
}

/* ---- what the machine saw ---- */
static inline int64_t machine_count(enum coco_event_kind kind, uint64_t code)
{
	return machine_call(COCO_CALL_COUNT, kind, code, 0);
}

static inline int64_t machine_event_next(void)
{
	return machine_call(COCO_CALL_EVENT_NEXT, 0, 0, 0);
}

static inline int64_t machine_event(uint64_t seq, struct coco_event *event)
{
	return machine_call(COCO_CALL_EVENT, seq, buffer_out(event, sizeof(*event)), 0);
}

static inline int64_t machine_breaches(void)
{
	return machine_call(COCO_CALL_BREACHES, 0, 0, 0);
}

/* ---- scripting the host ---- */
static inline int64_t machine_rule_add(const struct coco_rule *rule)
{
	return machine_call(COCO_CALL_RULE_ADD, buffer_in(rule, sizeof(*rule)), 0, 0);
}

static inline int64_t machine_rule_hits(uint64_t id)
{
	return machine_call(COCO_CALL_RULE_HITS, id, 0, 0);
}

static inline int64_t machine_rule_del(uint64_t id)
{
	return machine_call(COCO_CALL_RULE_DEL, id, 0, 0);
}

static inline int64_t machine_inject(const struct coco_inject *inject)
{
	return machine_call(COCO_CALL_INJECT, buffer_in(inject, sizeof(*inject)), 0, 0);
}

static inline int64_t machine_expect(enum coco_end end, uint64_t value, uint64_t mask)
{
	return machine_call(COCO_CALL_EXPECT, end, value, mask);
}

static inline int64_t machine_expect_breach(enum coco_breach breach, uint64_t count)
{
	return machine_call(COCO_CALL_EXPECT_BREACH, breach, count, 0);
}

/* What a test asked for by the calls above and did not take back */
static __maybe_unused void machine_forget(void)
{
	uint32_t breach;

	machine_rule_del(0);
	machine_expect(0, 0, 0);
	for (breach = COCO_BREACH_FIELD; breach < COCO_BREACH_KINDS; breach++)
		machine_expect_breach(breach, 0);
}

static inline int64_t machine_warp(uint64_t nanoseconds)
{
	return machine_call(COCO_CALL_WARP, nanoseconds, 0, 0);
}

/* ---- memory as the host sees it ---- */
static inline int64_t machine_translate(const void *va)
{
	return machine_call(COCO_CALL_TRANSLATE, buffer_in(va, 1), 0, 0);
}

static inline int64_t machine_page_state(uint64_t gpa)
{
	return machine_call(COCO_CALL_PAGE_STATE, gpa, 0, 0);
}

static inline int64_t machine_page_set(uint64_t gpa, uint32_t flags)
{
	return machine_call(COCO_CALL_PAGE_SET, gpa, flags, 0);
}

static inline int64_t machine_page_find(uint64_t gpa, uint32_t mask, uint32_t flags)
{
	return machine_call(COCO_CALL_PAGE_FIND, gpa, mask, flags);
}

static inline int64_t machine_host_read(uint64_t gpa, void *buf, size_t len)
{
	return machine_call(COCO_CALL_HOST_READ, gpa, buffer_out(buf, len), len);
}

static inline int64_t machine_host_write(uint64_t gpa, const void *buf, size_t len)
{
	return machine_call(COCO_CALL_HOST_WRITE, gpa, buffer_in(buf, len), len);
}

static __maybe_unused int pin_to_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* Events name a vCPU: stay on one.  Linux numbers the boot CPU 0, as the machine does. */
static __maybe_unused int pin_to_cpu0(void)
{
	return pin_to_cpu(0);
}

#endif /* COCO_MACHINE_H */
