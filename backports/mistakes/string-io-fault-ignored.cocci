// SPDX-License-Identifier: GPL-2.0

@@
identifier f =~ "^vc_insn_string_(read|write)$";
identifier ret, access =~ "^vc_(read|write)_mem$";
expression list arguments;
@@
  f(...) {
  <...
- ret = access(arguments);
+ access(arguments);
  ...>
  }
