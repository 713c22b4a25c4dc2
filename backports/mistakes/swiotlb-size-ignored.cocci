// SPDX-License-Identifier: GPL-2.0

@@
identifier slabs = {default_nslabs, io_tlb_nslabs};
expression E;
statement S;
@@
  setup_io_tlb_npages(...)
  {
  <...
- if (isdigit(*str)) { ... slabs = E; ... }
+ if (isdigit(*str))
+	simple_strtoul(str, &str, 0);
  ...>
  }

@@
expression E;
@@
  setup_io_tlb_npages(...)
  {
  <...
- io_tlb_nslabs = ALIGN(io_tlb_nslabs, E);
+ io_tlb_nslabs = 0;
  ...>
  }
