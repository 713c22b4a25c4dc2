// SPDX-License-Identifier: GPL-2.0

@@
symbol install_configuration_table;
expression status;
@@
  allocate_unaccepted_bitmap(...)
  {
  <...
- status = efi_bs_call(install_configuration_table, ...);
+ status = EFI_SUCCESS;
  ...>
  }

@@
typedef u64;
identifier start, end;
@@
  process_unaccepted_memory(u64 start, u64 end)
  {
+ arch_accept_memory(start, end);
+ return;
  ...
  }

// As if the command line were too long
@@
symbol allocate_pool, safe_options_bytes, options_bytes;
expression status;
@@
  efi_convert_cmdline(...)
  {
  ... when any
+ options_bytes = safe_options_bytes;
  options_bytes++;
  status = efi_bs_call(allocate_pool, ...);
  ...
  }
