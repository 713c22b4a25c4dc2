// SPDX-License-Identifier: GPL-2.0
// Before: nobody asked whether the memory was the guest's own.

@@
identifier pte;
@@
  vc_slow_virt_to_phys(...)
  {
  <...
- if (WARN_ON_ONCE(pte_val(*pte) & _PAGE_ENC))
-	return ES_UNSUPPORTED;
  ...>
  }
