// SPDX-License-Identifier: GPL-2.0
// Before: the table was kept from others, but not made memory that the kernel maps.

@@
@@
  reserve_unaccepted(...)
  {
  <...
- memblock_add(...);
  ...>
  }
