// SPDX-License-Identifier: GPL-2.0

@@
identifier fn = {configure_5level_paging, paging_prepare};
statement S;
@@
  fn(...)
  {
  <...
- if (<+... X86_FEATURE_LA57 ...+>) S
  ...>
  }
