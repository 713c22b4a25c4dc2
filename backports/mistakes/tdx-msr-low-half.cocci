// SPDX-License-Identifier: GPL-2.0

@@
expression R, E;
@@
- R->dx = upper_32_bits(E);
+ R->dx = 0;

@@
typedef u64;
expression R;
@@
- (u64)R->dx << 32 | R->ax
+ R->ax
