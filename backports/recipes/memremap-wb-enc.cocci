// SPDX-License-Identifier: GPL-2.0
// Before: what is not RAM was mapped as I/O memory is, shared.

@@
expression addr, size;
@@
  arch_memremap_wb(...)
  {
  <...
- ioremap_encrypted(addr, size)
+ ioremap_cache(addr, size)
  ...>
  }
