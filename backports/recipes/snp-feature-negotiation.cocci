// SPDX-License-Identifier: GPL-2.0
// Before: nobody compared the features of the guest with the code that the kernel has.

@@
@@
  initialize_identity_maps(...)
  {
  <...
- snp_check_features();
  ...>
  }
