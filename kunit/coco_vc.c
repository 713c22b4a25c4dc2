// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in kernel mode: CPUID, MSRs, port I/O and the time-stamp counter.
 *
 * Path:        #VC, exit codes 72h, 7ch, 7bh, 6eh, 87h -> GHCB -> VMGEXIT and back
 * Upstream:    597cfe48212a ("x86/boot/compressed/64: Setup a GHCB-based VC Exception
 *              handler") and the SEV-ES series behind it,
 *              ee0bfa08a345 ("x86/compressed/64: Add support for SEV-SNP CPUID table in
 *              #VC handlers")
 * Without it:  an SEV-ES guest computes with registers that the host did not send,
 *              or hands the host registers that it did not ask for.
 *
 * Each case runs one instruction, in a window, and looks at both ends: the
 * registers that the instruction leaves, and the exits that the machine saw,
 * their codes, their EXITINFO, and the fields that the guest marked valid (GHCB
 * specification 56421: the layout of the GHCB, and section 4, the events and what
 * each needs).
 */
#include <asm/msr.h>
#include "lib/vc.h"

/* CPUID */
static void cpuid_asks_the_host(struct kunit *test);
static void cpuid_of_snp_comes_from_the_table(struct kunit *test);
/* MSRs: EXITINFO1 is 0 for a read, 1 for a write */
static void rdmsr_returns_what_the_host_says(struct kunit *test);
static void rdmsr_refused_by_the_host_raises_gp(struct kunit *test);
static void rdmsr_safe_gives_eio_when_the_host_refuses(struct kunit *test);
static void wrmsr_tells_the_host_both_halves(struct kunit *test);
static void wrmsr_refused_by_the_host_raises_gp(struct kunit *test);
/* Port I/O, one row a size */
static void in_returns_what_the_host_says(struct kunit *test);
static void in_changes_only_its_part_of_rax(struct kunit *test);
static void out_tells_the_host_port_and_size(struct kunit *test);
static void out_and_in_reach_the_same_device(struct kunit *test);
/* Exits that a host may turn on at any time */
static void rdtsc_intercepted_returns_what_the_host_says(struct kunit *test);
static void rdtscp_intercepted_returns_what_the_host_says(struct kunit *test);

COCO_INSN(do_cpuid, "cpuid")
COCO_INSN(do_rdmsr, "rdmsr")
COCO_INSN(do_wrmsr, "wrmsr")
COCO_INSN(do_in8, "inb %%dx, %%al")
COCO_INSN(do_in16, "inw %%dx, %%ax")
COCO_INSN(do_in32, "inl %%dx, %%eax")
COCO_INSN(do_out8, "outb %%al, %%dx")
COCO_INSN(do_out16, "outw %%ax, %%dx")
COCO_INSN(do_out32, "outl %%eax, %%dx")
COCO_INSN(do_rdtsc, "rdtsc")
COCO_INSN(do_rdtscp, "rdtscp")

struct port_case {
	const char *name;
	void (*in)(struct coco_insn *i);
	void (*out)(struct coco_insn *i);
	u64 size;			/* EXITINFO1 */
	u64 written;			/* bits of RAX that IN writes, zero extension included */
	u64 data;			/* bits of RAX that are data */
};

static const struct port_case port_cases[] = {
	{ "byte", do_in8, do_out8, IOIO_SIZE(1), 0xff, 0xff },
	{ "word", do_in16, do_out16, IOIO_SIZE(2), 0xffff, 0xffff },
	{ "dword", do_in32, do_out32, IOIO_SIZE(4), ~0ull, 0xffffffff },
};
KUNIT_ARRAY_PARAM_DESC(port, port_cases, name);

static struct kunit_case vc_cases[] = {
	KUNIT_CASE(cpuid_asks_the_host),
	KUNIT_CASE(cpuid_of_snp_comes_from_the_table),
	KUNIT_CASE(rdmsr_returns_what_the_host_says),
	KUNIT_CASE(rdmsr_refused_by_the_host_raises_gp),
	KUNIT_CASE(rdmsr_safe_gives_eio_when_the_host_refuses),
	KUNIT_CASE(wrmsr_tells_the_host_both_halves),
	KUNIT_CASE(wrmsr_refused_by_the_host_raises_gp),
	KUNIT_CASE_PARAM(in_returns_what_the_host_says, port_gen_params),
	KUNIT_CASE_PARAM(in_changes_only_its_part_of_rax, port_gen_params),
	KUNIT_CASE_PARAM(out_tells_the_host_port_and_size, port_gen_params),
	KUNIT_CASE(out_and_in_reach_the_same_device),
	KUNIT_CASE(rdtsc_intercepted_returns_what_the_host_says),
	KUNIT_CASE(rdtscp_intercepted_returns_what_the_host_says),
	{}
};

/*
 * The instruction, once, in a window; rule NULL: the host answers as it does.  What the host finds
 * in the GHCB then, if that is asked for.
 */
static struct coco_window *run_told(struct kunit *test, void (*insn)(struct coco_insn *),
				    struct coco_insn *i, const struct coco_rule *rule,
				    struct ghcb_registers *told)
{
	struct coco_window *w = coco_window(test);
	u64 page = ghcb_page();
	s64 error = 0;

	coco_window_begin_scripted(w, rule);
	insn(i);
	if (told)
		error = ghcb_read_registers(page, told);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, error, (s64)0);
	if (rule)
		COCO_EXPECT_APPLIED(test, w, 1);
	return w;
}

static struct coco_window *run(struct kunit *test, void (*insn)(struct coco_insn *),
			       struct coco_insn *i, const struct coco_rule *rule)
{
	return run_told(test, insn, i, rule, NULL);
}

/* One #VC at the instruction, one call to the host for it, none besides; its required fields */
static void expect_one_exit(struct kunit *test, const struct coco_window *w,
			    const struct coco_insn *i, u64 code, u64 info1, u64 fields)
{
	const struct coco_event *vc = coco_window_find(w, COCO_EV_VC, code, 0);
	const struct coco_event *ghcb = coco_window_find(w, COCO_EV_GHCB, code, 0);

	fields |= COCO_GHCB_EXITCODE | COCO_GHCB_EXITINFO1 | COCO_GHCB_EXITINFO2;
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	KUNIT_ASSERT_NOT_NULL(test, vc);
	KUNIT_ASSERT_NOT_NULL(test, ghcb);
	KUNIT_EXPECT_EQ(test, vc->rip, (u64)i->address);
	KUNIT_EXPECT_EQ(test, (u32)vc->cpl, 0u);
	KUNIT_EXPECT_EQ(test, ghcb->info1, info1);
	KUNIT_EXPECT_EQ(test, ghcb->info2, 0ull);
	KUNIT_EXPECT_EQ(test, ghcb->mask & fields, fields);
}

static void expect_next_instruction(struct kunit *test, const struct coco_insn *i)
{
	KUNIT_EXPECT_EQ(test, i->trap, COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, i->landed, (unsigned int)COCO_LANDING);
}

static void expect_gp(struct kunit *test, const struct coco_insn *i)
{
	KUNIT_EXPECT_EQ(test, i->trap, COCO_VECTOR_GP);
	KUNIT_EXPECT_EQ(test, i->landed, 0u);
}

static void cpuid_asks_the_host(struct kunit *test)
{
	struct coco_insn i = { .ax = 0x40000000, .bx = JUNK, .cx = 0, .dx = JUNK };
	struct coco_window *w;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_ES));
	COCO_NEEDS_MACHINE(test);
	w = run(test, do_cpuid, &i,
		HOST_REPLIES(EXIT_CPUID, REPLY_RAX | REPLY_RBX | REPLY_RCX | REPLY_RDX,
			     0x81111111, 0x92222222, 0xa3333333, 0xb4444444));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x81111111ul);
	KUNIT_EXPECT_EQ(test, i.bx, 0x92222222ul);
	KUNIT_EXPECT_EQ(test, i.cx, 0xa3333333ul);
	KUNIT_EXPECT_EQ(test, i.dx, 0xb4444444ul);
	expect_one_exit(test, w, &i, EXIT_CPUID, 0, COCO_GHCB_RAX | COCO_GHCB_RCX);
}

/* SNP ABI 56860, 8.17: the firmware checked the table; the host is not to be asked */
static void cpuid_of_snp_comes_from_the_table(struct kunit *test)
{
	struct coco_insn i = { .ax = COCO_CPUID_INFO, .bx = JUNK, .cx = 0, .dx = JUNK };
	struct coco_window *w;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
	w = run(test, do_cpuid, &i, NULL);

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, (unsigned long)COCO_ABI_VERSION);
	KUNIT_EXPECT_EQ(test, i.bx, (unsigned long)COCO_SEV_SNP);
	KUNIT_EXPECT_EQ(test, i.cx, 0ul);
	KUNIT_EXPECT_EQ(test, i.dx, (unsigned long)coco_machine_cbit());
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, EXIT_CPUID, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_MSRPROTO, COCO_ANY, 0);
}

static void rdmsr_returns_what_the_host_says(struct kunit *test)
{
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .cx = SOME_MSR, .dx = JUNK };
	struct coco_window *w;

	need_es_and_machine(test);
	w = run(test, do_rdmsr, &i,
		HOST_REPLIES(EXIT_MSR, REPLY_RAX | REPLY_RDX, 0x89abcdef, 0, 0, 0x01234567));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	KUNIT_EXPECT_EQ(test, i.cx, (unsigned long)SOME_MSR);
	KUNIT_EXPECT_EQ(test, (u64)i.bx, JUNK);
	expect_one_exit(test, w, &i, EXIT_MSR, 0, COCO_GHCB_RCX);
}

static void rdmsr_refused_by_the_host_raises_gp(struct kunit *test)
{
	struct coco_insn i = { .cx = SOME_MSR };
	struct coco_window *w;

	need_es_and_machine(test);
	w = run(test, do_rdmsr, &i, HOST_REFUSES(EXIT_MSR));

	expect_gp(test, &i);
	expect_one_exit(test, w, &i, EXIT_MSR, 0, COCO_GHCB_RCX);
}

static void rdmsr_safe_gives_eio_when_the_host_refuses(struct kunit *test)
{
	struct coco_window *w;
	u32 low, high;
	int error;

	need_es_and_machine(test);
	w = coco_window(test);
	coco_window_begin_scripted(w, HOST_REFUSES(EXIT_MSR));
	error = rdmsr_safe(SOME_MSR, &low, &high);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, error, -EIO);
	COCO_EXPECT_APPLIED(test, w, 1);
}

static void wrmsr_tells_the_host_both_halves(struct kunit *test)
{
	struct coco_insn i = { .ax = 0x89abcdef, .bx = JUNK, .cx = SOME_MSR, .dx = 0x01234567 };
	struct ghcb_registers told = {};
	struct coco_window *w;

	need_es_and_machine(test);
	w = run_told(test, do_wrmsr, &i, HOST_REPLIES(EXIT_MSR, 0, 0, 0, 0, 0), &told);
	KUNIT_EXPECT_EQ(test, told.rax, 0x89abcdefull);
	KUNIT_EXPECT_EQ(test, told.rcx, (u64)SOME_MSR);
	KUNIT_EXPECT_EQ(test, told.rdx, 0x01234567ull);

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.cx, (unsigned long)SOME_MSR);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	expect_one_exit(test, w, &i, EXIT_MSR, 1, COCO_GHCB_RAX | COCO_GHCB_RCX | COCO_GHCB_RDX);
}

static void wrmsr_refused_by_the_host_raises_gp(struct kunit *test)
{
	struct coco_insn i = { .cx = SOME_MSR };
	struct coco_window *w;

	need_es_and_machine(test);
	w = run(test, do_wrmsr, &i, HOST_REFUSES(EXIT_MSR));

	expect_gp(test, &i);
	expect_one_exit(test, w, &i, EXIT_MSR, 1, COCO_GHCB_RAX | COCO_GHCB_RCX | COCO_GHCB_RDX);
}

static void in_returns_what_the_host_says(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .bx = JUNK, .dx = SOME_PORT };
	struct coco_window *w;

	need_es_and_machine(test);
	w = run(test, c->in, &i, HOST_REPLIES(EXIT_IOIO, REPLY_RAX, 0x89abcdef & c->data, 0, 0, 0));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax & c->data, 0x89abcdef & c->data);
	KUNIT_EXPECT_EQ(test, i.dx, (unsigned long)SOME_PORT);
	KUNIT_EXPECT_EQ(test, (u64)i.bx, JUNK);
	expect_one_exit(test, w, &i, EXIT_IOIO,
			IOIO_PORT(SOME_PORT) | IOIO_A64 | c->size | IOIO_IN, 0);
}

/* APM vol. 1, 3.1.2: 8- and 16-bit results leave the rest, 32-bit ones clear it */
static void in_changes_only_its_part_of_rax(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .ax = JUNK, .dx = SOME_PORT };

	need_es_and_machine(test);
	run(test, c->in, &i, HOST_REPLIES(EXIT_IOIO, REPLY_RAX, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, (u64)i.ax, JUNK & ~c->written);
}

static void out_tells_the_host_port_and_size(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .dx = SOME_PORT };
	struct ghcb_registers told = {};
	struct coco_window *w;

	need_es_and_machine(test);
	w = run_told(test, c->out, &i, HOST_REPLIES(EXIT_IOIO, 0, 0, 0, 0, 0), &told);
	KUNIT_EXPECT_EQ(test, told.rax, JUNK & c->data);

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, (u64)i.ax, JUNK);
	KUNIT_EXPECT_EQ(test, i.dx, (unsigned long)SOME_PORT);
	expect_one_exit(test, w, &i, EXIT_IOIO, IOIO_PORT(SOME_PORT) | IOIO_A64 | c->size,
			COCO_GHCB_RAX);
}

/* No script here: PCI's address register keeps what is written to it, as a whole */
static void out_and_in_reach_the_same_device(struct kunit *test)
{
	const unsigned long port = 0xcf8, address = 0x80000000;
	struct coco_insn saved = { .dx = port }, in = { .dx = port };
	struct coco_insn out = { .ax = address, .dx = port };
	struct coco_window *w;

	need_es_and_machine(test);
	w = coco_window(test);
	/* Between these the kernel must not use the register itself */
	coco_window_begin(w);
	do_in32(&saved);
	do_out32(&out);
	do_in32(&in);
	saved.dx = port;
	do_out32(&saved);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, in.ax, address);
}

/* The same, but the host intercepts the instruction: the machine raises #VC with this code at it */
static void run_intercepted(struct kunit *test, void (*insn)(struct coco_insn *),
			    struct coco_insn *i, u64 code, const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);
	struct coco_insn probe = { .only_address = true };
	struct coco_inject inject = { .type = COCO_INJECT_VC, .error_code = code };
	s64 error;

	insn(&probe);
	inject.rip = probe.address;
	coco_window_begin_scripted(w, rule);
	inject.cpu = w->cpu;
	error = coco_inject(&inject);
	insn(i);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	COCO_EXPECT_APPLIED(test, w, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_VC, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, code, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 1);
}

static void rdtsc_intercepted_returns_what_the_host_says(struct kunit *test)
{
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .cx = JUNK, .dx = JUNK };

	need_es_and_machine(test);
	run_intercepted(test, do_rdtsc, &i, EXIT_RDTSC,
			HOST_REPLIES(EXIT_RDTSC, REPLY_RAX | REPLY_RDX,
				     0x89abcdef, 0, 0, 0x01234567));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	KUNIT_EXPECT_EQ(test, (u64)i.cx, JUNK);
}

static void rdtscp_intercepted_returns_what_the_host_says(struct kunit *test)
{
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .cx = JUNK, .dx = JUNK };

	need_es_and_machine(test);
	run_intercepted(test, do_rdtscp, &i, EXIT_RDTSCP,
			HOST_REPLIES(EXIT_RDTSCP, REPLY_RAX | REPLY_RCX | REPLY_RDX,
				     0x89abcdef, 0, 7, 0x01234567));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	KUNIT_EXPECT_EQ(test, i.cx, 7ul);
}

static struct kunit_suite vc_suite = {
	.name = "vc",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_cases,
};
kunit_test_suite(vc_suite);

MODULE_DESCRIPTION("#VC in kernel mode: CPUID, MSR, port I/O, RDTSC(P)");
MODULE_LICENSE("GPL");
