// SPDX-License-Identifier: GPL-2.0
// Before: the pages of the allocator's next power of two were shared, and made private again.

@@
expression address;
@@
- set_memory_decrypted(address, PFN_UP(size))
+ set_memory_decrypted(address, 1 << get_order(size))

@@
expression address;
@@
- set_memory_encrypted(address, PFN_UP(size))
+ set_memory_encrypted(address, 1 << get_order(size))
