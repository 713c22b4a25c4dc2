// SPDX-License-Identifier: GPL-2.0
// Before: SEV-SNP guests asked the host for the AP jump table, too.

@@
statement S;
@@
  get_jump_table_addr(...)
  {
  <...
- if (cc_platform_has(CC_ATTR_GUEST_SEV_SNP)) S
  ...>
  }
