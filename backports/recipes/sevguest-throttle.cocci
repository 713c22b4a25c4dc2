// SPDX-License-Identifier: GPL-2.0
// Before: "busy" was an error like any other.

@@
identifier ret;
@@
  snp_issue_guest_request(...)
  {
  <...
- ret = -EAGAIN;
+ ret = -EIO;
  ...>
  }
