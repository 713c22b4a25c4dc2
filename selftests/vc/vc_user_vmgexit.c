// SPDX-License-Identifier: GPL-2.0
/*
 * VMGEXIT of a program: the host finds no call in the kernel's GHCB.
 *
 * Path:        #VC -> GHCB -> __sev_put_ghcb() -> back to the program -> its own VMGEXIT
 * Upstream:    a50c5bebc99c ("x86/sev-es: Invalidate the GHCB after completing VMGEXIT")
 * Without it:  a program has the kernel's last call made again, whatever it was.
 *
 * VMGEXIT is no privileged instruction (APM vol. 3, VMGEXIT): a program reaches the host
 * with whatever the GHCB's page has in it.  A host refuses a page without a valid exit
 * code (GHCB specification 56421, 4.1).
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"

#define FREE_PORT	0xe0

static __insn void vmgexit(void)
{
	asm volatile("rep; vmmcall" : : : "memory");
}

/* The call that the host got of that instruction */
static const struct coco_event *call_of_program(const struct window *w)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (w->events[i].kind == COCO_EV_GHCB && rip_is_ours(w->events[i].rip))
			return &w->events[i];
	return NULL;
}

FIXTURE(vmgexit) {
	struct window w;
};

FIXTURE_SETUP(vmgexit)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(vmgexit)
{
}

TEST_F(vmgexit, host_finds_no_call_of_the_kernel)
{
	const struct coco_event *call;
	struct fault fault;

	NEED_VC();
	NEED_MACHINE();
	NEED_PORTS(FREE_PORT, 1);
	io_out(FREE_PORT, 1, 0x5a);		/* the call that must not stay */
	ASSERT_EQ(0, machine_expect_breach(COCO_BREACH_FIELD, 1));
	window_open(&self->w);
	fault = fault_of(vmgexit);
	window_close(&self->w);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, self->w.error);
	call = call_of_program(&self->w);
	ASSERT_NE(NULL, call);
	EXPECT_EQ(0, call->code);
	EXPECT_EQ(0, call->mask);
}

TEST_HARNESS_MAIN
