// SPDX-License-Identifier: GPL-2.0

@@
@@
  cond_accept_memory(...)
  {
  ...
- while (to_accept > 0) { ... }
  ...
  }
