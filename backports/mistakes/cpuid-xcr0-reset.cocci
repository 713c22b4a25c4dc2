// SPDX-License-Identifier: GPL-2.0

@@
expression G;
@@
- ghcb_set_xcr0(G, xgetbv(XCR_XFEATURE_ENABLED_MASK));
+ ghcb_set_xcr0(G, 1);
