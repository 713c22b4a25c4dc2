/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the #VC suites share: one instruction in a window, with a scripted host,
 * and the GHCB's shared buffer as that host has it.
 */
#ifndef COCO_LIB_VC_H
#define COCO_LIB_VC_H

#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/io.h>
#include <asm/msr.h>
#include "coco_kunit.h"
#include "ghcb.h"
#include "insn_all.h"

/* APM vol. 2, appendix C */
#define EXIT_DR7_READ	0x27
#define EXIT_DR7_WRITE	0x37
#define EXIT_EXCEPTION	0x40
#define EXIT_DB		(EXIT_EXCEPTION + 1)
#define EXIT_RDTSC	0x6e
#define EXIT_RDPMC	0x6f
#define EXIT_CPUID	0x72
#define EXIT_INVD	0x76
#define EXIT_IOIO	0x7b
#define EXIT_MSR	0x7c
#define EXIT_VMMCALL	0x81
#define EXIT_RDTSCP	0x87
#define EXIT_WBINVD	0x89
#define EXIT_MONITOR	0x8a
#define EXIT_MWAIT	0x8b
#define EXIT_NPF	0x400
/* APM vol. 2, 15.10.2: EXITINFO1 of an IOIO exit; a 64-bit code segment has 64-bit addresses */
#define IOIO_IN		BIT(0)
#define IOIO_STRING	BIT(2)
#define IOIO_REP	BIT(3)
#define IOIO_SIZE(n)	((n) << 4)
#define IOIO_A64	BIT(9)
#define IOIO_ES		(0 << 10)
#define IOIO_DS		(3 << 10)
#define IOIO_PORT(port)	((u64)(port) << 16)
/* APM vol. 2, 13.1.1.3: what the reserved bits of DR6 read as; single step */
#define DR6_NOTHING	0xffff0ff0ul
#define DR6_BS		BIT(14)
/* GHCB specification 56421, table "List of Supported Non-Automatic Events" */
#define EXIT_MMIO_READ	0x80000001
#define EXIT_MMIO_WRITE	0x80000002

/* SW_EXITINFO1 1: raise the exception in SW_EXITINFO2, in EVENTINJ's form (56421, section 4) */
#define HOST_EXCEPTION	1ull
#define EVENT_UD	(BIT_ULL(31) | 3 << 8 | COCO_VECTOR_UD)
#define EVENT_GP	(BIT_ULL(31) | BIT(11) | 3 << 8 | COCO_VECTOR_GP)

/* Words of a rule's reply */
#define REPLY_INFO	(BIT(0) | BIT(1))
#define REPLY_RAX	BIT(2)
#define REPLY_RBX	BIT(3)
#define REPLY_RCX	BIT(4)
#define REPLY_RDX	BIT(5)

#define HOST_REPLIES(code_, mask, ...) \
	(&(const struct coco_rule){ .kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = code_, \
				    .reply_mask = REPLY_INFO | (mask), \
				    .reply = { 0, 0, ##__VA_ARGS__ } })
#define HOST_ANSWERS_INFO(code_, info1_, info2_) \
	(&(const struct coco_rule){ .kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = code_, \
				    .reply_mask = REPLY_INFO, .reply = { info1_, info2_ } })
#define HOST_REFUSES(code_)	HOST_ANSWERS_INFO(code_, HOST_EXCEPTION, EVENT_GP)

typedef void (*coco_insn_fn)(struct coco_regs *regs);

static inline void need_es_and_machine(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ES_OR_SNP);
	COCO_NEEDS_MACHINE(test);
	/* Each CPU has a GHCB of its own: stay with this one */
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id())), 0);
}

/* Where the host finds this CPU's shared buffer */
static inline u64 vc_buffer(void)
{
	return ghcb_page() + GHCB_BUFFER;
}

/*
 * The instruction, once, in a window; rule NULL: the host answers as it does.
 * The shared buffer, as host: filled with the bytes of "from" before, which is
 * what an answer brings, and read into "to" after; either may be NULL.  All of it
 * in the window: a tick's timer has its own #VC, and uses the same buffer.
 */
static inline struct coco_window *vc_run_buffer(struct kunit *test, coco_insn_fn insn,
						struct coco_regs *regs,
						const struct coco_rule *rule, const u8 *from,
						u8 *to)
{
	struct coco_window *w = coco_window(test);
	u64 buffer = vc_buffer();
	s64 error = 0;

	coco_window_begin_scripted(w, rule);
	if (from)
		error = coco_host_write(buffer, from, GHCB_BUFFER_SIZE);
	insn(regs);
	if (to && !error)
		error = coco_host_read(buffer, to, GHCB_BUFFER_SIZE);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	return w;
}

static inline struct coco_window *vc_run(struct kunit *test, coco_insn_fn insn,
					 struct coco_regs *regs, const struct coco_rule *rule)
{
	return vc_run_buffer(test, insn, regs, rule, NULL, NULL);
}

/* The same, and what the host finds in the GHCB then */
static inline struct coco_window *vc_run_told(struct kunit *test, coco_insn_fn insn,
					      struct coco_regs *regs, const struct coco_rule *rule,
					      struct ghcb_registers *told)
{
	struct coco_window *w = coco_window(test);
	u64 page = ghcb_page();
	s64 error;

	coco_window_begin_scripted(w, rule);
	insn(regs);
	error = ghcb_read_registers(page, told);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	return w;
}

/*
 * The same, but the host intercepts the instruction, whatever the processor
 * makes of it: #VC with this exit code is raised at it.
 */
static inline struct coco_window *vc_run_intercepted(struct kunit *test, coco_insn_fn insn,
						     struct coco_regs *regs, u64 code,
						     const struct coco_rule *rule)
{
	struct coco_inject inject = { .type = COCO_INJECT_VC, .error_code = code };
	struct coco_regs probe = { .only_address = true };
	struct coco_window *w = coco_window(test);
	s64 error;

	insn(&probe);
	inject.rip = probe.address;
	coco_window_begin_scripted(w, rule);
	inject.cpu = w->cpu;
	error = coco_inject(&inject);
	insn(regs);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_VC, 1);
	return w;
}

/*
 * From here on the guest's termination request passes the case: general reason
 * set, reason 0 (56421, section 2.3.1, GHCB termination request).
 */
static inline void vc_expect_termination(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, 0, 0xffff), (s64)0);
}

/* So many #VC and calls to the host with these codes, and nothing else that this CPU did */
static inline void expect_calls(struct kunit *test, const struct coco_window *w, u64 vc_code,
				unsigned int vcs, u64 code, unsigned int calls)
{
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, vc_code, vcs);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, COCO_ANY, vcs);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, code, calls);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, calls);
	COCO_EXPECT_EXITS(test, w, COCO_EV_MSRPROTO, COCO_ANY, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
}

/* The nth call: its EXITINFO, and the fields that the guest marked valid */
static inline void expect_call(struct kunit *test, const struct coco_window *w, u64 code,
			       unsigned int nth, u64 info1, u64 info2, u64 fields)
{
	const struct coco_event *ghcb = coco_window_find(w, COCO_EV_GHCB, code, nth);

	fields |= COCO_GHCB_EXITCODE | COCO_GHCB_EXITINFO1 | COCO_GHCB_EXITINFO2;
	KUNIT_ASSERT_NOT_NULL(test, ghcb);
	KUNIT_EXPECT_EQ(test, ghcb->info1, info1);
	KUNIT_EXPECT_EQ(test, ghcb->info2, info2);
	KUNIT_EXPECT_EQ(test, ghcb->mask & fields, fields);
}

#endif /* COCO_LIB_VC_H */
