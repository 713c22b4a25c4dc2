// SPDX-License-Identifier: GPL-2.0

@@
expression mask, width;
@@
- *mask = BIT_ULL(width - 1);
+ *mask = BIT_ULL(51);
