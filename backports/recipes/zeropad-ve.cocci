// SPDX-License-Identifier: GPL-2.0
// Before: the repair of a failed load was told the address 0.

@@
expression regs;
identifier ve;
@@
- ve_raise_fault(regs, 0, ve.gla)
+ ve_raise_fault(regs, 0, 0)
