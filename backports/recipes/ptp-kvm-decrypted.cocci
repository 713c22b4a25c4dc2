// SPDX-License-Identifier: GPL-2.0
// Before: the host was told to write to a variable of the driver, in private memory.

@@
@@
- cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)
+ false
