// SPDX-License-Identifier: GPL-2.0

@@
identifier result;
expression list arguments;
@@
  do_boot_stage2_vc(...) {
  <...
- result = vc_handle_ioio(arguments);
+ result = ES_UNSUPPORTED;
  ...>
  }

@@
@@
- pio_ops.f_outb = tdx_outb;
