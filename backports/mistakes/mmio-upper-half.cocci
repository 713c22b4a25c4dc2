// SPDX-License-Identifier: GPL-2.0

@@
identifier f =~ "^vc_handle_mmio$";
expression D;
@@
  f(...) {
  <...
- if (bytes == 4) *D = 0;
  ...>
  }

@@
identifier f =~ "^vc_handle_mmio$";
identifier D;
expression G, bytes;
@@
  f(...) {
  <...
- memcpy(G->shared_buffer, D, bytes);
+ memcpy(G->shared_buffer, D, sizeof(*D));
  ...>
  }
