// SPDX-License-Identifier: GPL-2.0
// Before: the host was asked by the MSR protocol, though there was a GHCB.

@ asked @
expression ghcb, context, leaf;
@@
- ghcb ? __sev_cpuid_hv_ghcb(ghcb, context, leaf) : __sev_cpuid_hv_msr(leaf)
+ __sev_cpuid_hv_msr(leaf)

@ depends on asked @
@@
- static int __sev_cpuid_hv_ghcb(...) { ... }
