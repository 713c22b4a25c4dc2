// SPDX-License-Identifier: GPL-2.0

@@
expression S, G;
@@
- *S->ghcb = *G;
