// SPDX-License-Identifier: GPL-2.0

@@
expression R, bits;
identifier rax;
@@
- rax = lower_bits(R->ax, bits);
+ rax = R->ax;
