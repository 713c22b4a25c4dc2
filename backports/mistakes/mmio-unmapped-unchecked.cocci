// SPDX-License-Identifier: GPL-2.0

@@
statement S;
@@
  vc_slow_virt_to_phys(...) {
  <...
- if (!pte) S
  ...>
  }
