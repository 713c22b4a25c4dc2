// SPDX-License-Identifier: GPL-2.0

@@
expression ghcb;
@@
- ghcb_set_xcr0(ghcb, 1);
+ ghcb_set_xcr0(ghcb, 3);
