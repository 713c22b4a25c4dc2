// SPDX-License-Identifier: GPL-2.0

@@
@@
- 0x4FFFFFFF
+ 0x4FFFFFFE
