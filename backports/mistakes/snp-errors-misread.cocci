// SPDX-License-Identifier: GPL-2.0

// Just the host's half is looked at.
@@
expression E;
@@
  snp_issue_guest_request(...)
  {
  <...
- E->exitinfo2 = ghcb->save.sw_exit_info_2;
+ E->exitinfo2 = ghcb->save.sw_exit_info_2 & GENMASK_ULL(63, 32);
  ...>
  }

// Just the firmware's half is told.
@@
identifier input;
expression to;
@@
  snp_guest_ioctl(...)
  {
  <...
+ input.exitinfo2 &= U32_MAX;
  if (input.exitinfo2 && copy_to_user(to, &input, sizeof(input)))
	return -EFAULT;
  ...>
  }
