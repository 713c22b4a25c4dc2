// SPDX-License-Identifier: GPL-2.0
@@
identifier certs_size;
@@
  sev_report_new(...)
  {
  <...
- if (!certs_size)
-	return 0;
  ...>
  }

@@
identifier certs_size, ext_size;
@@
  sev_report_new(...)
  {
  <...
- if (certs_size > ext_size) { ... }
+ certs_size = size;
  ...>
  }
