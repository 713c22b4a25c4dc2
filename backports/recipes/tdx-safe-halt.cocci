// SPDX-License-Identifier: GPL-2.0
// Before: HLT was an instruction that raises #VE, with interrupts just enabled.
// The idle routine, which never was one, stays as it is.

@@
@@
- pv_ops.irq.safe_halt = tdx_safe_halt;
- pv_ops.irq.halt = tdx_halt;
