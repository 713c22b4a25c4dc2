// SPDX-License-Identifier: GPL-2.0
// Before: IBPB on entry was one of the features that take code in the guest.

@@
expression have;
@@
  snp_get_unsupported_features(...)
  {
  ...
- return status & SNP_FEATURES_IMPL_REQ & ~have;
+ return status & (SNP_FEATURES_IMPL_REQ | MSR_AMD64_SNP_IBPB_ON_ENTRY) & ~have;
  }
