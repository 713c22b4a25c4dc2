// SPDX-License-Identifier: GPL-2.0

@@
expression ghcb;
@@
- if (!(ghcb_rax_is_valid(ghcb) && ghcb_rbx_is_valid(ghcb) && ghcb_rcx_is_valid(ghcb) &&
-	ghcb_rdx_is_valid(ghcb)))
-	return ES_VMM_ERROR;

@@
expression E, ghcb;
@@
- if (!(ghcb_rax_is_valid(ghcb) && ghcb_rdx_is_valid(ghcb) && E)) return ES_VMM_ERROR;

@@
expression E, ghcb;
@@
- if (!(ghcb_rax_is_valid(ghcb) && E)) return ES_VMM_ERROR;

@@
expression ghcb;
@@
- if (!ghcb_rax_is_valid(ghcb)) return ES_VMM_ERROR;
