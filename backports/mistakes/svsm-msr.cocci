// SPDX-License-Identifier: GPL-2.0

// The MSR is one that cannot be written.
@@
identifier write;
@@
  vc_handle_msr(...)
  {
  <...
  if (write)
- 	return ES_OK;
+ 	return ES_UNSUPPORTED;
  ...>
  }

// It tells of the first CPU's calling area on all of them.
@@
@@
  vc_handle_msr(...)
  {
  <...
- this_cpu_read(svsm_caa_pa)
+ per_cpu(svsm_caa_pa, 0)
  ...>
  }
