// SPDX-License-Identifier: GPL-2.0
// Before: whatever is not success was a failure, a host that wants to go on later, too.

@@
expression status;
@@
  tdx_map_gpa(...)
  {
  <...
- if (status != TDVMCALL_STATUS_RETRY)
-	return !status;
+ return !status;
  ...>
  }
