// SPDX-License-Identifier: GPL-2.0

@@
@@
  mem_encrypt_init(void)
  {
+ WARN_ON(1);
  ...
  }
