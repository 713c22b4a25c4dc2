// SPDX-License-Identifier: GPL-2.0

@@
@@
  gp_user_force_sig_segv(...)
  {
  ...
- force_sig(SIGSEGV);
+ force_sig(SIGILL);
  }
