// SPDX-License-Identifier: GPL-2.0

@@
typedef u64;
expression bitmap, from, pages;
identifier start, end;
@@
  void process_unaccepted_memory(u64 start, u64 end)
  {
  <...
- bitmap_set(bitmap, from, pages);
+ arch_accept_memory(start + unaccepted_table->phys_base, end + unaccepted_table->phys_base);
  ...>
  }
