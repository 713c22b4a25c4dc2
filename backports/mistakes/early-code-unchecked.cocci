// SPDX-License-Identifier: GPL-2.0

@@
@@
- if (exit_code != SVM_EXIT_CPUID) goto fail;
