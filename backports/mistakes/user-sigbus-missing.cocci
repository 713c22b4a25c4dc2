// SPDX-License-Identifier: GPL-2.0

@@
@@
- force_sig_fault(SIGBUS, BUS_OBJERR, ...);
