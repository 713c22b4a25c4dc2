// SPDX-License-Identifier: GPL-2.0

@@
@@
- default_nslabs = IO_TLB_DEFAULT_SIZE >> IO_TLB_SHIFT
+ default_nslabs = IO_TLB_DEFAULT_SIZE >> (IO_TLB_SHIFT + 2)
