// SPDX-License-Identifier: GPL-2.0

@@
expression nr, bitmap;
@@
  vc_ioio_check(...)
  {
  <...
- test_bit(nr, bitmap)
+ !test_bit(nr, bitmap)
  ...>
  }
