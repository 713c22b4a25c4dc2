// SPDX-License-Identifier: GPL-2.0
/*
 * A host that writes to the GHCB between calls: the next call starts from an empty page.
 *
 * Path:        #VC -> __sev_get_ghcb() -> vc_ghcb_invalidate() -> VMGEXIT -> the fields that the
 *              host marked valid
 * Upstream:    0786138c78e7 ("x86/sev-es: Add a Runtime #VC Exception Handler")
 * Without it:  the host is told registers that no call is about.
 *
 * The page is the host's to write to at any time (GHCB specification 56421, section 2.1).  It is
 * filled with ones before the instruction: every field is marked valid, version and usage are none.
 */
#include <linux/vmalloc.h>
#include "lib/vc.h"

/* One row an instruction */
static void host_finds_just_the_fields_of_the_call(struct kunit *test);

COCO_INSN_UP(do_rdmsr, "rdmsr")
COCO_INSN_UP(do_wrmsr, "wrmsr")
COCO_INSN_UP(do_rdpmc, "rdpmc")
COCO_INSN_UP(do_wbinvd, "wbinvd")
COCO_INSN_UP(do_out, "outb %%al, %%dx")

struct call_case {
	const char *name;
	coco_insn_fn insn;
	u64 code;
	u64 fields;
};

static const struct call_case call_cases[] = {
	{ "rdmsr", do_rdmsr, EXIT_MSR, COCO_GHCB_RCX },
	{ "wrmsr", do_wrmsr, EXIT_MSR, COCO_GHCB_RCX | COCO_GHCB_RAX | COCO_GHCB_RDX },
	{ "rdpmc", do_rdpmc, EXIT_RDPMC, COCO_GHCB_RCX },
	{ "wbinvd", do_wbinvd, EXIT_WBINVD, 0 },
	{ "out", do_out, EXIT_IOIO, COCO_GHCB_RAX },
};
KUNIT_ARRAY_PARAM_DESC(call, call_cases, name);

static struct kunit_case vc_ghcb_cases[] = {
	KUNIT_CASE_PARAM(host_finds_just_the_fields_of_the_call, call_gen_params),
	{}
};

static u8 *ones;

static int vc_ghcb_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	ones = vmalloc(PAGE_SIZE);
	if (!ones)
		return error ?: -ENOMEM;
	memset(ones, 0xff, PAGE_SIZE);
	return error;
}

static void vc_ghcb_end(struct kunit *test)
{
	vfree(ones);
	ones = NULL;
	coco_case_end(test);
}

/* The host writes first */
static struct coco_window *run_on_junk(struct kunit *test, coco_insn_fn insn, struct coco_regs *r,
				       const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);
	u64 ghcb = vc_buffer() - GHCB_BUFFER;
	s64 error;

	coco_window_begin_scripted(w, rule);
	error = coco_host_write(ghcb, ones, PAGE_SIZE);
	insn(r);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	return w;
}

static void host_finds_just_the_fields_of_the_call(struct kunit *test)
{
	const struct call_case *c = test->param_value;
	const struct coco_rule *rule = HOST_REPLIES(c->code, REPLY_INFO | REPLY_RAX | REPLY_RDX,
						    1, 0, 0, 2);
	struct coco_regs r = { .ax = JUNK, .cx = SOME_MSR, .dx = POST_PORT };
	const struct coco_event *call;
	struct coco_window *w;

	need_es_and_machine(test);
	w = run_on_junk(test, c->insn, &r, rule);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_calls(test, w, c->code, 1, c->code, 1);
	call = coco_window_find(w, COCO_EV_GHCB, c->code, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, (u64)call->mask, c->fields | COCO_GHCB_EXITCODE |
			COCO_GHCB_EXITINFO1 | COCO_GHCB_EXITINFO2);
}

static struct kunit_suite vc_ghcb_suite = {
	.name = "vc_ghcb",
	.init = vc_ghcb_begin,
	.exit = vc_ghcb_end,
	.test_cases = vc_ghcb_cases,
};
kunit_test_suite(vc_ghcb_suite);

MODULE_DESCRIPTION("#VC in kernel mode: a host that writes to the GHCB between calls");
MODULE_LICENSE("GPL");
