// SPDX-License-Identifier: GPL-2.0
// Before: the reserved bits of an entry were what the calling area held there.

@@
struct svsm_pvalidate_call *pc;
@@
- pc->entry[0].rsvd = 0;

@@
struct svsm_pvalidate_entry *pe;
@@
- pe->rsvd = 0;
