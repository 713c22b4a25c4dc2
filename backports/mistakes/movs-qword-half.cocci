// SPDX-License-Identifier: GPL-2.0

@@
identifier d;
expression B;
@@
- memcpy(&d, B, 8);
+ memcpy(&d, B, 4);
