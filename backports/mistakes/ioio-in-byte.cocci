// SPDX-License-Identifier: GPL-2.0

@@
expression R, E, bits;
@@
- R->ax = lower_bits(E, bits);
+ R->ax = lower_bits(E, 8);
