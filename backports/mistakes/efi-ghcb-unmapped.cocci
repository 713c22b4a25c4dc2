// SPDX-License-Identifier: GPL-2.0

@@
expression pgd;
@@
- sev_es_efi_map_ghcbs(pgd)
+ 0
