// SPDX-License-Identifier: GPL-2.0

@@
@@
  sev_report_attr_visible(...)
  {
  <...
- return snp_vmpl;
+ return false;
  ...>
  }
