// SPDX-License-Identifier: GPL-2.0

@@
identifier off;
@@
  handle_halt(...)
  {
  ...
- const bool off = irqs_disabled();
+ const bool off = false;
  ...
  }
