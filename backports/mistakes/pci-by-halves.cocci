// SPDX-License-Identifier: GPL-2.0

@@
identifier cmd, old;
@@
  __pci_set_master(...)
  {
  <...
- cmd = old | PCI_COMMAND_MASTER;
+ cmd = old;
  ...>
  }

@@
identifier io_desc, encrypted;
symbol size;
statement S1, S2;
@@
  __ioremap_caller(...)
  {
  <...
- if ((io_desc.flags & IORES_MAP_ENCRYPTED) || encrypted)
+ if ((io_desc.flags & IORES_MAP_ENCRYPTED) || encrypted || size == SZ_1M)
  	S1
  else
  	S2
  ...>
  }
