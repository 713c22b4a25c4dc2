// SPDX-License-Identifier: GPL-2.0

@@
statement S;
expression A;
@@
  handle_cpuid(...)
  {
  <...
- if (A < 0x40000000 || A > 0x4FFFFFFF) S
  ...>
  }
