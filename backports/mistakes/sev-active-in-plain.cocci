// SPDX-License-Identifier: GPL-2.0

@@
expression E;
symbol sme_me_mask;
@@
  sev_active(...)
  {
- return E;
+ return E || !sme_me_mask;
  }
