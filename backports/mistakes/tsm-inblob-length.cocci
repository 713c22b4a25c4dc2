// SPDX-License-Identifier: GPL-2.0

@@
struct tsm_report *report;
@@
- if (!report->desc.inblob_len) return -EINVAL;

@@
expression desc, size;
statement S;
@@
- if (desc->inblob_len != size) S
