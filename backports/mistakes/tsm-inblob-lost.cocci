// SPDX-License-Identifier: GPL-2.0

@@
expression E, buf, count;
@@
- memcpy(E->desc.inblob, buf, count);
