// SPDX-License-Identifier: GPL-2.0
// Before: ranges that touch were taken for ranges that overlap.

@@
expression entry, range;
@@
(
- entry->end <= range.start
+ entry->end < range.start
|
- entry->start >= range.end
+ entry->start > range.end
)
