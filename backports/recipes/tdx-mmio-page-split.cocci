// SPDX-License-Identifier: GPL-2.0
// Before: an access over a page border was emulated like any other.

@@
expression address, size;
@@
  handle_mmio(...)
  {
  <...
- if (address / PAGE_SIZE != (address + size - 1) / PAGE_SIZE)
-	return -EFAULT;
  ...>
  }
