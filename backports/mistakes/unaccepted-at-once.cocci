// SPDX-License-Identifier: GPL-2.0

@@
@@
  __free_unaccepted(...)
  {
  ...
- if (!lazy_accept)
-	return false;
+ return false;
  ...
  }
