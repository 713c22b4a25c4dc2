// SPDX-License-Identifier: GPL-2.0
// Before: HLT was emulated with interrupts enabled, too, without a word.

@@
identifier disabled;
@@
- if (WARN_ONCE(!disabled, ...))
-	return -EIO;
