/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that the processor refuses to user space before any intercept
 * or #VE is looked at (APM vol. 2, 15.9: "exceptions ... take precedence";
 * TDX module ABI: #GP and #UD come before #VE).
 *
 * Included by the #VC and the #VE suite.  The program defines NEED_SUITE(), a SKIP where
 * it does not apply.
 */
#ifndef COCO_PRIVILEGED_H
#define COCO_PRIVILEGED_H

#include "insn.h"
#include "window.h"

#define TRAP_UD		6
#define TRAP_GP		13

FIXTURE(privileged) {
	struct window w;
};

FIXTURE_VARIANT(privileged) {
	void (*insn)(void);
	int signal;
	unsigned int trapno;
};

FIXTURE_VARIANT_ADD(privileged, rdmsr) { insn_rdmsr, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, wrmsr) { insn_wrmsr, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, hlt) { insn_hlt, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, cli) { insn_cli, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, invd) { insn_invd, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, wbinvd) { insn_wbinvd, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, read_cr3) { insn_read_cr3, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, write_dr7) { insn_write_dr7, SIGSEGV, TRAP_GP };
FIXTURE_VARIANT_ADD(privileged, monitor) { insn_monitor, SIGILL, TRAP_UD };
FIXTURE_VARIANT_ADD(privileged, mwait) { insn_mwait, SIGILL, TRAP_UD };

FIXTURE_SETUP(privileged)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(privileged)
{
}

TEST_F(privileged, privileged_instruction_is_refused_without_exit)
{
	struct fault fault;

	NEED_SUITE();
	window_open(&self->w);
	fault = fault_of(variant->insn);
	window_close(&self->w);
	EXPECT_EQ(variant->signal, fault.signal);
	EXPECT_EQ(variant->trapno, fault.trapno);
	EXPECT_TRUE(rip_is_ours(fault.rip));
	EXPECT_EXITS(&self->w, 0, 0);
}

#endif /* COCO_PRIVILEGED_H */
