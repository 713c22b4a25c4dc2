// SPDX-License-Identifier: GPL-2.0

@@
expression V, R, size;
@@
  handle_mmio(...)
  {
  <...
- memcpy(&V, R, size);
+ V = *R >> (size == 1 ? 8 : 0);
+ if (size == 4)
+	V &= 0xffffff;
  ...>
  }

@@
expression size, A, V;
@@
  handle_mmio(...)
  {
  <...
- mmio_write(size, A, V)
+ mmio_write(size < 4 ? 4 : size, A, V)
  ...>
  }
