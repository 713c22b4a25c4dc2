/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of #VE have in common: one instruction in a window, and what
 * the machine must have seen of it.
 *
 *	instruction -> #VE -> TDG.VP.VEINFO.GET, once -> no TDG.VP.VMCALL, or one
 */
#ifndef COCO_LIB_VE_H
#define COCO_LIB_VE_H

#include <linux/bits.h>
#include "coco_kunit.h"
#include "insn_all.h"
#include "tdx.h"

/* Exit reasons (SDM vol. 3, appendix C); the same numbers are TDVMCALL's leaves */
#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_IO	30
#define REASON_RDMSR	31
#define REASON_WRMSR	32
#define REASON_EPT	48

/* Registers in RCX's mask: bit = number of the register; RAX, RCX, RSP are reserved */
#define R(n)		BIT_ULL(n)
#define NEVER_EXPOSED	(R(0) | R(1) | R(4))

/* reply[0] is R10, reply[5] R15 */
#define HOST_REPLIES(code_, mask, ...) \
	(&(const struct coco_rule){ .kind = COCO_EV_TDVMCALL, .action = COCO_REPLY, .code = code_, \
				    .reply_mask = (mask), .reply = { __VA_ARGS__ } })

static inline void need_tdx_and_machine(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
}

/* The instruction, once, in a window; rule NULL: the host answers as it does */
static inline struct coco_window *ve_run(struct kunit *test, void (*insn)(struct coco_insn *),
					 struct coco_insn *i, const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);

	coco_window_begin_scripted(w, rule);
	insn(i);
	coco_window_end(w);
	return w;
}

/* The same with all registers */
static inline struct coco_window *ve_run_all(struct kunit *test, void (*insn)(struct coco_regs *),
					     struct coco_regs *r, const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);

	coco_window_begin_scripted(w, rule);
	insn(r);
	coco_window_end(w);
	return w;
}

/* So many #VE, each of them asked about once, and so many calls to the host */
static inline void expect_ve_costs(struct kunit *test, const struct coco_window *w,
				   unsigned int ves, unsigned int calls)
{
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, ves);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDCALL, TDCALL_VEINFO_GET, ves);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, calls);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
}

/* One #VE at the instruction, its information read once; so many calls to the host */
static inline void expect_one_ve(struct kunit *test, const struct coco_window *w,
				 const struct coco_insn *i, u64 reason, unsigned int calls)
{
	const struct coco_event *ve = coco_window_find(w, COCO_EV_VE, reason, 0);

	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDCALL, TDCALL_VEINFO_GET, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, calls);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	KUNIT_ASSERT_NOT_NULL(test, ve);
	KUNIT_EXPECT_EQ(test, ve->rip, (u64)i->address);
	KUNIT_EXPECT_EQ(test, (u32)ve->cpl, 0u);
}

/* ... and that one call, with these inputs in R12 and R13 and at least these registers exposed */
static inline void expect_one_call(struct kunit *test, const struct coco_window *w,
				   const struct coco_insn *i, u64 leaf, u64 r12, u64 r13,
				   u64 exposed)
{
	const struct coco_event *call = coco_window_find(w, COCO_EV_TDVMCALL, leaf, 0);

	expect_one_ve(test, w, i, leaf, 1);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, call->info1, r12);
	KUNIT_EXPECT_EQ(test, call->info2, r13);
	KUNIT_EXPECT_EQ(test, call->mask & exposed, exposed);
	KUNIT_EXPECT_EQ(test, call->mask & NEVER_EXPOSED, 0ull);
}

/* RIP is behind the instruction, no further and no nearer */
static inline void expect_next_instruction(struct kunit *test, const struct coco_insn *i)
{
	KUNIT_EXPECT_EQ(test, i->trap, COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, i->landed, (unsigned int)COCO_LANDING);
}

/* Linux runs the exception table with its own number for it, 20 */
static inline void expect_fault(struct kunit *test, const struct coco_insn *i)
{
	KUNIT_EXPECT_EQ(test, i->trap, COCO_VECTOR_VE);
	KUNIT_EXPECT_EQ(test, i->landed, 0u);
}

#endif /* COCO_LIB_VE_H */
