// SPDX-License-Identifier: GPL-2.0

@@
identifier fn = swiotlb_bounce;
expression TO, FROM;
idexpression size_t size;
@@
  fn(...)
  {
  <...
- memcpy(TO, FROM, size);
+ memcpy(TO, FROM, min_t(size_t, size, IO_TLB_SIZE));
  ...>
  }
