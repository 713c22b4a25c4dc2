// SPDX-License-Identifier: GPL-2.0
// Before: the host's word on CPUID was taken, even that there is no SEV.

@@
expression has_leaf, has_bit;
@@
  do_vc_no_ghcb(...)
  {
  <...
- if (fn == 0x80000000 && has_leaf) goto fail;
- else if (has_bit) goto fail;
  ...>
  }
