// SPDX-License-Identifier: GPL-2.0

@@
symbol end, unit_size;
@@
  accept_memory(...)
  {
  <...
- if (!(end % unit_size))
-	end += unit_size;
  ...>
  }

// SEV-SNP, and TDX: no page of 4K where it could be one of 2M
@@
expression rc, size;
statement S1, S2;
@@
  pval_pages(...)
  {
  <...
- if (rc == PVALIDATE_FAIL_SIZEMISMATCH && size == RMP_PG_SIZE_2M) S1 else S2
+ S2
  ...>
  }

@@
identifier accepted;
symbol start, len;
@@
  tdx_accept_memory(...)
  {
  <...
- if (!accepted)
+ if (!accepted && (len < PMD_SIZE || !IS_ALIGNED(start, PMD_SIZE)))
	accepted = try_accept_one(start, len, PG_LEVEL_4K);
  ...>
  }
