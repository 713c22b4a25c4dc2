// SPDX-License-Identifier: GPL-2.0

// The answer to a private page that becomes shared: TDX asks then, SEV-SNP has asked before.
@@
expression ret, addr;
symbol x86_platform, numpages, enc;
identifier vmm_fail;
@@
  __set_memory_enc_pgtable(...)
  {
  ...
- ret = x86_platform.guest.enc_status_change_finish(addr, numpages, enc);
- if (ret)
-	goto vmm_fail;
+ x86_platform.guest.enc_status_change_finish(addr, numpages, enc);
  ...
  }

// SEV-SNP: page state changes, and PVALIDATE
@@
expression ghcb, data;
@@
  __set_pages_state(...)
  {
  <...
- if (!ghcb || vmgexit_psc(ghcb, data))
+ if (!ghcb)
	sev_es_terminate(...);
+ vmgexit_psc(ghcb, data);
  ...>
  }

@@
@@
  pval_pages(...)
  {
  <...
- __pval_terminate(...);
+ continue;
  ...>
  }

// TDX: TDG.MEM.PAGE.ACCEPT
@@
expression call;
symbol pg_level, accept_size;
@@
  try_accept_one(...)
  {
  <...
- if (call)
+ if (call && pg_level != PG_LEVEL_4K)
	return 0;
  return accept_size;
  ...>
  }
