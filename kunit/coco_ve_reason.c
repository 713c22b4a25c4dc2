// SPDX-License-Identifier: GPL-2.0
/*
 * #VE of a reason that Linux has no handler for: a fault, and the host is not asked.
 *
 * Path:        #VE -> tdx_handle_virt_exception() -> virt_exception_kernel(), default -> #GP-like
 *              fault of ve_raise_fault()
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest")
 * Without it:  a TD goes on behind an instruction that nobody carried out.
 *
 * Instructions that a TD must not execute raise #VE with their own exit reason (TDX module base
 * specification 348549, #VE); reasons without such an instruction are put in the place of that
 * of CPUID, which no TDX module does: a test of robustness.
 */
#include "lib/insn_all.h"
#include "lib/ve.h"

/* One row an instruction */
static void instruction_that_a_td_must_not_run_faults(struct kunit *test);
/* One row a bit */
static void control_register_that_a_td_must_not_have_faults(struct kunit *test);
/* One row a reason */
static void reason_that_there_is_no_handler_for_faults(struct kunit *test);

COCO_INSN_UP(do_invd, "invd")
COCO_INSN_UP(do_wbinvd, "wbinvd")
COCO_INSN_UP(do_monitor, ".byte 0x0f, 0x01, 0xc8")
COCO_INSN_UP(do_mwait, ".byte 0x0f, 0x01, 0xc9")
COCO_INSN_UP(do_vmcall, "vmcall")
COCO_INSN_UP(do_cpuid, "cpuid")
COCO_INSN_UP(do_write_cr0, "mov %%rax, %%cr0")
COCO_INSN_UP(do_write_cr4, "mov %%rax, %%cr4")

#define REASON_CR	28

struct reason_case {
	const char *name;
	void (*insn)(struct coco_regs *r);
	u64 reason;			/* SDM vol. 3, appendix C */
};

static const struct reason_case insn_cases[] = {
	{ "invd", do_invd, 13 },
	{ "vmcall", do_vmcall, 18 },
	{ "mwait", do_mwait, 36 },
	{ "monitor", do_monitor, 39 },
	{ "wbinvd", do_wbinvd, 54 },
};
KUNIT_ARRAY_PARAM_DESC(insn, insn_cases, name);

static unsigned long read_cr0_raw(void)
{
	unsigned long cr0;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	return cr0;
}

static unsigned long read_cr4_raw(void)
{
	unsigned long cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	return cr4;
}

struct control_case {
	const char *name;
	void (*write)(struct coco_regs *r);
	unsigned long (*read)(void);
	unsigned long flip;
};

/* What is as it is in every TD: TDX module base specification 348549, CR handling */
static const struct control_case control_cases[] = {
	{ "cr0_cache_disable", do_write_cr0, read_cr0_raw, X86_CR0_CD },
	{ "cr4_machine_check_enable", do_write_cr4, read_cr4_raw, X86_CR4_MCE },
	{ "cr4_vmx_enable", do_write_cr4, read_cr4_raw, X86_CR4_VMXE },
	{ "cr4_smx_enable", do_write_cr4, read_cr4_raw, X86_CR4_SMXE },
};
KUNIT_ARRAY_PARAM_DESC(control, control_cases, name);

static const struct reason_case reason_cases[] = {
	{ "exception", do_cpuid, 0 },
	{ "rdpmc", do_cpuid, 15 },
	{ "ept_misconfiguration", do_cpuid, 49 },
	{ "none_there_is", do_cpuid, 0x3ff },
};
KUNIT_ARRAY_PARAM_DESC(reason, reason_cases, name);

static struct kunit_case ve_reason_cases[] = {
	KUNIT_CASE_PARAM(instruction_that_a_td_must_not_run_faults, insn_gen_params),
	KUNIT_CASE_PARAM(control_register_that_a_td_must_not_have_faults, control_gen_params),
	KUNIT_CASE_PARAM(reason_that_there_is_no_handler_for_faults, reason_gen_params),
	{}
};

static struct coco_regs junk(void)
{
	return (struct coco_regs) {
		.ax = 0x40000000, .bx = JUNK, .cx = 0, .dx = 0, .si = JUNK, .di = JUNK, .r10 = JUNK,
	};
}

static void expect_fault_without_call(struct kunit *test, const struct coco_window *w,
				      const struct coco_regs *r, u64 reason)
{
	KUNIT_EXPECT_EQ(test, r->trap, (long)COCO_VECTOR_VE);
	KUNIT_EXPECT_EQ(test, (u64)r->bx, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r->r10, JUNK);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, reason, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDCALL, TDCALL_VEINFO_GET, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
}

static void run(struct kunit *test, const struct coco_rule *rule, u64 reason)
{
	const struct reason_case *c = test->param_value;
	struct coco_regs r = junk();

	need_tdx_and_machine(test);
	expect_fault_without_call(test, ve_run_all(test, c->insn, &r, rule), &r, reason);
}

static void instruction_that_a_td_must_not_run_faults(struct kunit *test)
{
	const struct reason_case *c = test->param_value;

	run(test, NULL, c->reason);
}

static void control_register_that_a_td_must_not_have_faults(struct kunit *test)
{
	const struct control_case *c = test->param_value;
	struct coco_regs r = junk();
	struct coco_window *w;
	unsigned long before;

	need_tdx_and_machine(test);
	before = c->read();
	r.ax = before ^ c->flip;
	w = ve_run_all(test, c->write, &r, NULL);
	expect_fault_without_call(test, w, &r, REASON_CR);
	KUNIT_EXPECT_EQ(test, c->read(), before);
}

static void reason_that_there_is_no_handler_for_faults(struct kunit *test)
{
	const struct reason_case *c = test->param_value;
	const struct coco_rule rule = {
		.kind = COCO_EV_VE, .action = COCO_CODE, .code = REASON_CPUID,
		.reply_mask = 1, .reply = { c->reason },
	};

	run(test, &rule, REASON_CPUID);
}

static struct kunit_suite ve_reason_suite = {
	.name = "ve_reason",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_reason_cases,
};
kunit_test_suite(ve_reason_suite);

MODULE_DESCRIPTION("#VE of a reason that there is no handler for");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
