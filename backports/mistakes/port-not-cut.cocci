// SPDX-License-Identifier: GPL-2.0

@@
expression R;
@@
- R->dx & 0xffff
+ R->dx
