// SPDX-License-Identifier: GPL-2.0
// Before: a page fault was an exception that the handler did not know how to go on with.

@@
@@
  vc_forward_exception(...)
  {
  <...
- write_cr2(...);
- exc_page_fault(...);
+ pr_emerg("Unsupported exception in #VC instruction emulation - can't continue\n");
+ BUG();
  ...>
  }
