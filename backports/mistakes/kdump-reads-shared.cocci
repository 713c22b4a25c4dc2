// SPDX-License-Identifier: GPL-2.0
// The headers are read as they have to be: otherwise there is no file.

@@
expression iter, size, start, encrypted;
symbol false;
@@
  __read_vmcore(...)
  {
  <...
- read_from_oldmem(iter, size, &start, encrypted)
+ read_from_oldmem(iter, size, &start, false)
  ...>
  }
