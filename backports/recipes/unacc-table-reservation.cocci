// SPDX-License-Identifier: GPL-2.0
// Before: as many pages were reserved as the table would have if it started one.

@@
@@
  reserve_unaccepted(...)
  {
  <...
- end = PAGE_ALIGN(efi.unaccepted + sizeof(*unaccepted) + unaccepted->size);
+ end = start + PAGE_ALIGN(sizeof(*unaccepted) + unaccepted->size);
  ...>
  }
