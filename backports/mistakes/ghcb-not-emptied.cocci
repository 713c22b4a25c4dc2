// SPDX-License-Identifier: GPL-2.0

@@
expression ghcb;
@@
  vc_raw_handle_exception(...)
  {
  <...
- vc_ghcb_invalidate(ghcb);
+ ;
  ...>
  }
