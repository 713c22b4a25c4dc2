// SPDX-License-Identifier: GPL-2.0
// Before: what the boot loader had left in the field was taken for the decompressor's word.

@@
identifier params;
@@
  sev_enable(struct boot_params *params)
  {
  <...
- if (params)
-	params->cc_blob_address = 0;
  ...>
  }
