// SPDX-License-Identifier: GPL-2.0

@@
expression end, unit;
@@
  accept_memory(...)
  {
  <...
- end += unit;
+ end += 8 * unit;
  ...>
  }
