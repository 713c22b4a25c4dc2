// SPDX-License-Identifier: GPL-2.0
// Before: the pool had as many areas as were asked for, however small it turned out.

@@
identifier fn = {swiotlb_init_remap, swiotlb_init_late};
expression nareas, nslots;
@@
  fn(...)
  {
  <...
- limit_nareas(nareas, nslots)
+ nareas
  ...>
  }
