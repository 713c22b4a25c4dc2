// SPDX-License-Identifier: GPL-2.0

@@
expression D;
@@
  vc_handle_dr7_write(...) {
  <...
- if (D) D->dr7 = val;
  ...>
  }
