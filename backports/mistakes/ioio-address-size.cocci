// SPDX-License-Identifier: GPL-2.0

@@
@@
- IOIO_ADDR_32
+ IOIO_ADDR_64

@@
@@
- IOIO_ADDR_16
+ IOIO_ADDR_64
