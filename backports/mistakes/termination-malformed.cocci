// SPDX-License-Identifier: GPL-2.0

@@
expression val;
@@
  sev_es_terminate(...)
  {
  <...
- sev_es_wr_ghcb_msr(val);
+ sev_es_wr_ghcb_msr(val | (1ULL << 63));
  ...>
  }
