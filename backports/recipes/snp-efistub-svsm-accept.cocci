// SPDX-License-Identifier: GPL-2.0
// Before: the EFI stub did not ask its firmware for an SVSM.

@@
@@
  early_is_sevsnp_guest(...)
  {
  <+...
- if (!snp_vmpl) {
- 	...
- }
  ...+>
  }
