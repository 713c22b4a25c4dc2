// SPDX-License-Identifier: GPL-2.0
// Before: an address was compared with the width of a processor not yet known.

@@
@@
- if (!boot_cpu_data.x86_virt_bits)
-	return true;
