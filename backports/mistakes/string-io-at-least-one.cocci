// SPDX-License-Identifier: GPL-2.0

@@
expression R, F, count;
@@
  vc_handle_ioio(...)
  {
  <...
- (F & IOIO_REP) ? R->cx : 1
+ (F & IOIO_REP) && R->cx ? R->cx : 1
  ...>
  }
