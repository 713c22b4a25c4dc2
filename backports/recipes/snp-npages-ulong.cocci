// SPDX-License-Identifier: GPL-2.0
// Before: the number of pages was kept in 32 bits.

@@
expression count, pages;
@@
  snp_accept_memory(...)
  {
  <...
- count = pages >> PAGE_SHIFT;
+ count = (unsigned int)(pages >> PAGE_SHIFT);
  ...>
  }
