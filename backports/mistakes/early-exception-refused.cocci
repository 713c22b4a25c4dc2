// SPDX-License-Identifier: GPL-2.0

@@
expression C;
@@
  handle_vc_boot_ghcb(...)
  {
  <...
- vc_early_forward_exception(C);
- break;
+ goto fail;
  ...>
  }
