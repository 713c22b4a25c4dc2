// SPDX-License-Identifier: GPL-2.0

@@
identifier ctx;
@@
  tm_digest_write(...)
  {
  <...
- ctx->in_sync = false;
  ...>
  }
