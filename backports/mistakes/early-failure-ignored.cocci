// SPDX-License-Identifier: GPL-2.0

@@
@@
  handle_vc_boot_ghcb(...) {
  <...
- goto fail;
+ break;
  ...>
  }

@@
identifier result;
statement S;
@@
  do_boot_stage2_vc(...) {
  <...
- if (result == ES_OK) S
- else if (result != ES_RETRY) sev_es_terminate(...);
+ vc_finish_insn(&ctxt);
  ...>
  }
