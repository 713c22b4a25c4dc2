// SPDX-License-Identifier: GPL-2.0
// Before: the port of one byte was extended by its sign.

@@
typedef u8, u64;
expression insn;
@@
- (u8)insn->immediate.value
+ (u64)insn->immediate.value
