// SPDX-License-Identifier: GPL-2.0

@@
identifier f =~ "^vc_insn_string_(read|write)$";
identifier p, b, ret, access =~ "^vc_(read|write)_mem$";
expression E, B;
expression list arguments;
@@
  f(...) {
  <...
  void *p = E;
  char *b = B;
+
+ if (((unsigned long)p ^ address) & PAGE_MASK)
+	break;
  ret = access(arguments);
  ...>
  }
