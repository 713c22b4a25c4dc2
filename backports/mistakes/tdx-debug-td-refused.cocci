// SPDX-License-Identifier: GPL-2.0

@@
expression why;
@@
  disable_sept_ve(...)
  {
  <...
- if (debug) pr_warn(...);
- else tdx_panic(why);
+ tdx_panic(why);
  ...>
  }
