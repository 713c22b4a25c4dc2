// SPDX-License-Identifier: GPL-2.0

@@
expression E;
@@
  handle_in(...)
  {
  <...
- E.r11
+ (E.r11 & 0xff)
  ...>
  }
