// SPDX-License-Identifier: GPL-2.0

@@
identifier desc;
@@
- if (snp_vmpl)
- 	svsm_pval_pages(desc);
- else
  	pval_pages(desc);
