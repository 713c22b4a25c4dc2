// SPDX-License-Identifier: GPL-2.0

@@
expression error;
@@
- if (error)
- 	svsm_pval_terminate(...);
