// SPDX-License-Identifier: GPL-2.0
// Before: the handler ran as part of what it had interrupted.

@@
expression S;
@@
- S = irqentry_nmi_enter(regs);

@@
expression S;
@@
- irqentry_nmi_exit(regs, S);
