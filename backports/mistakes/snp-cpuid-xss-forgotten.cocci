// SPDX-License-Identifier: GPL-2.0

@@
identifier xss;
expression low, high;
@@
- xss = (high << 32) | low;
