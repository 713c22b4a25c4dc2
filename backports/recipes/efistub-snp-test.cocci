// SPDX-License-Identifier: GPL-2.0
// Before: the stub left the firmware without a look at the features of the guest.

@@
@@
- if (have_unsupported_snp_features()) efi_exit(...);
