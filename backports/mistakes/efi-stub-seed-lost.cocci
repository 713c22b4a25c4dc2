// SPDX-License-Identifier: GPL-2.0

@@
@@
- efi_random_get_seed();
