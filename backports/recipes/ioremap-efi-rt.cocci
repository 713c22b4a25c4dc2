// SPDX-License-Identifier: GPL-2.0
// Before: the firmware's run-time data was mapped as I/O memory is, shared.

@more@
expression address, other;
@@
- efi_mem_type(address) == EFI_RUNTIME_SERVICES_DATA || other
+ other

@depends on !more@
expression address;
statement S;
@@
- if (efi_mem_type(address) == EFI_RUNTIME_SERVICES_DATA) S
