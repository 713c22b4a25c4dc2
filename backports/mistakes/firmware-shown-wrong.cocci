// SPDX-License-Identifier: GPL-2.0

@@
@@
  fw_platform_size_show(...)
  {
  <...
- efi_enabled(EFI_64BIT)
+ !efi_enabled(EFI_64BIT)
  ...>
  }

@@
statement S;
symbol efi;
@@
  systab_show(...)
  {
  <...
(
- if (efi.acpi20 != EFI_INVALID_TABLE_ADDR) S
|
- if (efi.acpi != EFI_INVALID_TABLE_ADDR) S
)
  ...>
  }

@@
identifier vendor, i;
@@
  efi_systab_report_header(...)
  {
  <...
- vendor[i] = '\0';
+ vendor[i - 1] = '\0';
  ...>
  }

@@
identifier entry;
@@
  add_sysfs_runtime_map_entry(...)
  {
  <...
  memcpy(&entry->md, ...);
+ entry->md.virt_addr = 0;
  ...>
  }

// ACPI: a table without its end, and its data from the second byte on
@@
expression buf, count, offset, table;
@@
  acpi_table_show(...)
  {
  <...
- memory_read_from_buffer(buf, count, &offset, table, table->length)
+ memory_read_from_buffer(buf, count, &offset, table, table->length - 1)
  ...>
  }

@@
expression buf, base, offset, count;
@@
  acpi_data_show(...)
  {
  <...
- memcpy_fromio(buf, base + offset, count);
+ memcpy_fromio(buf, base + offset + 1, count - 1);
  ...>
  }

@@
expression buf, count, ppos, data, size;
identifier attributes;
@@
  efivarfs_file_read(...)
  {
  <...
  simple_read_from_buffer(buf, count, ppos, data,
- size + sizeof(attributes)
+ size
  )
  ...>
  }
