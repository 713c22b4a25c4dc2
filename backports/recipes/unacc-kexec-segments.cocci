// SPDX-License-Identifier: GPL-2.0
// Before: kexec copied the next kernel to where no memory had been accepted.

@@
@@
  sanity_check_segment_list(...)
  {
  <...
- for (...; ...; ...)
-	accept_memory(...);
  ...>
  }
