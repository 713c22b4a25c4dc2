// SPDX-License-Identifier: GPL-2.0

// The guard comes on top of what fits the table, and no more is accepted than what was asked for.
@@
identifier table;
expression E;
symbol end, unit_size, phys_end;
@@
  accept_memory(...)
  {
  ...
- if (!(end % unit_size))
-	end += unit_size;
  if (end > table->size * unit_size * BITS_PER_BYTE)
	end = table->size * unit_size * BITS_PER_BYTE;
+ if (!(end % unit_size))
+	end += unit_size;
  <...
- phys_end = E;
+ phys_end = min_t(u64, E, end + table->phys_base);
  ...>
  }

@@
identifier table;
symbol start, unit_size, unaccepted_memory_lock, flags;
@@
  range_contains_unaccepted_memory(...)
  {
  struct efi_unaccepted_memory *table;
  ...
+ if (start >= table->size * unit_size * BITS_PER_BYTE)
+	return true;
  spin_lock_irqsave(&unaccepted_memory_lock, flags);
  ...
  }

@@
@@
  unaccepted_memory_init_kdump(...)
  {
+ if (efi.unaccepted != EFI_INVALID_TABLE_ADDR)
+	ClearPageReserved(pfn_to_page(PHYS_PFN(efi.unaccepted)));
  ...
  }
