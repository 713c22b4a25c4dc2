// SPDX-License-Identifier: GPL-2.0
// Before: the instruction came by the copy that may wait for a page.

@@
expression list args;
@@
- insn_fetch_from_user_inatomic(args)
+ insn_fetch_from_user(args)
