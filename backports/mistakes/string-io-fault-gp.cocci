// SPDX-License-Identifier: GPL-2.0

@@
identifier f =~ "^vc_(read|write)_mem$";
expression V;
@@
  f(...) {
  <...
- V = X86_TRAP_PF;
+ V = X86_TRAP_GP;
  ...>
  }
