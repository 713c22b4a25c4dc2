// SPDX-License-Identifier: GPL-2.0
// Before: a new pool was first tried with as many slots as the default one has.

@@
expression most;
@@
  swiotlb_alloc_pool(...)
  {
  <...
- if (nslabs > most) {
-	nslabs = most;
-	nareas = limit_nareas(nareas, nslabs);
- }
  ...>
  }
