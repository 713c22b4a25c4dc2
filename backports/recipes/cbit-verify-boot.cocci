// SPDX-License-Identifier: GPL-2.0
// The decompressor's call, which is the first; the kernel's own is assembly

@@
@@
- sev_verify_cbit(...);
