// SPDX-License-Identifier: GPL-2.0
// Before: what the last call had been stayed in the page, and so did what the host had
// marked as its answer.

@@
@@
  __sev_put_ghcb(...)
  {
  <...
- vc_ghcb_invalidate(...);
  ...>
  }

@@
identifier ghcb;
@@
  vc_ghcb_invalidate(struct ghcb *ghcb)
  {
- ghcb->save.sw_exit_code = 0;
  ...
  }
