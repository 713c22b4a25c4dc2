// SPDX-License-Identifier: GPL-2.0

@@
expression E;
@@
  snp_cpuid_postprocess(...) {
  <...
- leaf->ecx |= E;
  ...>
  }

@@
@@
- leaf->ebx = xsave_size;
