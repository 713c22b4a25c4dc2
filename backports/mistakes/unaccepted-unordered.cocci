// SPDX-License-Identifier: GPL-2.0

@@
identifier range, entry, range_start, len;
expression bitmap;
symbol end, unit_size;
@@
  accept_memory(...)
  {
  <...
(
- if (entry->end <= range.start)
+ if (entry->end != range.end)
	continue;
|
- if (entry->start >= range.end)
+ if (entry->start != range.start)
	continue;
|
- bitmap_clear(bitmap, range_start, len);
+ if (range_start < end / unit_size)
+	bitmap_clear(bitmap, range_start, min_t(u64, len, end / unit_size - range_start));
)
  ...>
  }
