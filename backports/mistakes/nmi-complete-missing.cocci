// SPDX-License-Identifier: GPL-2.0

@@
@@
  __sev_es_nmi_complete(...) {
  <...
- VMGEXIT();
  ...>
  }
