// SPDX-License-Identifier: GPL-2.0
// Before: unaccepted pages were read as any other.

@@
expression a, p;
@@
- a || pfn_is_unaccepted_memory(p)
+ a
