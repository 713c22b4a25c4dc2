// SPDX-License-Identifier: GPL-2.0
// Before: a watermark of 0, as all are at first, was met by no memory at all.

@@
@@
  cond_accept_memory(...)
  {
  ...
- if (!wmark) return try_to_accept_memory_one(...);
  ...
  }
