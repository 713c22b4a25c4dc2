// SPDX-License-Identifier: GPL-2.0

@@
@@
  snp_guest_ioctl(...)
  {
  <...
(
- mutex_lock(&snp_cmd_mutex);
|
- mutex_unlock(&snp_cmd_mutex);
)
  ...>
  }

@@
@@
  snp_send_guest_request(...)
  {
  ...
- guard(mutex)(&snp_cmd_mutex);
  ...
  }
