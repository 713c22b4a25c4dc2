// SPDX-License-Identifier: GPL-2.0
// Before: #VC from user space was handled as an NMI is, too.

@@
@@
- irqentry_enter_from_user_mode(regs);
+ irqentry_state_t irq_state = irqentry_nmi_enter(regs);

@@
@@
- irqentry_exit_to_user_mode(regs);
+ irqentry_nmi_exit(regs, irq_state);
