// SPDX-License-Identifier: GPL-2.0

@@
expression E;
@@
  virt_exception_kernel(...)
  {
  <...
- if (is_private_gpa(E)) panic(...);
  ...>
  }
