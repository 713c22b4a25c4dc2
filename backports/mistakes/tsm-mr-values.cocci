// SPDX-License-Identifier: GPL-2.0

// Each register reads as the first one.
@@
identifier ctx, mr, attr;
@@
  tm_digest_read(...)
  {
  <...
- mr = &ctx->tm->mrs[attr - ctx->mrs];
+ mr = &ctx->tm->mrs[0];
  ...>
  }

// Part of a digest extends a register.
@@
identifier off, count, attr;
@@
- if (off != 0 || count != attr->size)
-	return -EINVAL;

// Registers of the launch take writes.
@@
identifier tm, i;
@@
- if (tm->mrs[i].mr_flags & TSM_MR_F_WRITABLE)
+ if (tm->mrs[i].mr_flags & TSM_MR_F_READABLE)
  {
  ...
  bap->write = tm_digest_write;
  }
