// SPDX-License-Identifier: GPL-2.0
// Before: whatever came to the fallback stack was out of place, from that stack, too.

@@
expression sp, before;
@@
  vc_from_invalid_context(...)
  {
  ...
- return is_vc2_stack(sp) && !is_vc2_stack(before);
+ return is_vc2_stack(sp);
  }
