// SPDX-License-Identifier: GPL-2.0
// Before: the other vCPUs stayed in guest mode, each with its page.

@@
@@
- static void shutdown_all_aps(void)
- {
- 	...
- }

@@
@@
  snp_kexec_finish(...)
  {
  <...
- shutdown_all_aps();
  ...>
  }
