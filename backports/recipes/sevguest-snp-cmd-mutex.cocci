// SPDX-License-Identifier: GPL-2.0
// Before: what belongs to a request was in one place for all, and written before its turn.

@@
identifier req;
@@
  get_ext_report(...)
  {
  ...
- struct snp_guest_req req = {};
+ static struct snp_guest_req req;
  ...
  }
