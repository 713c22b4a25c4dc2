// SPDX-License-Identifier: GPL-2.0

@@
identifier configured;
@@
  enable_cpu_topology_enumeration(...)
  {
  <...
- if (!configured) { ... }
+ if (!configured)
+	tdx_panic("VMM did not configure X2APIC_IDs properly");
  ...>
  }
