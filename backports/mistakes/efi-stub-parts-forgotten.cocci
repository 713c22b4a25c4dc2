// SPDX-License-Identifier: GPL-2.0

@@
expression start, unit;
@@
- arch_accept_memory(start, round_up(start, unit));
