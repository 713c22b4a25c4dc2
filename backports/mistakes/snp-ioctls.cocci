// SPDX-License-Identifier: GPL-2.0

// The second half of the report data does not get to the firmware.
@@
identifier request;
@@
  get_report(...)
  {
  <...
  if (copy_from_user(request, ...))
	return -EFAULT;
+ memset(request->user_data + 32, 0, 32);
  ...>
  }

// Each report is of VMPL 0.
@@
identifier request;
@@
  get_report(...)
  {
  <...
  if (copy_from_user(request, ...))
	return -EFAULT;
+ request->vmpl = 0;
  ...>
  }

// The caller gets a quarter of the report.
@@
expression to, reply;
@@
  get_report(...)
  {
  <...
- copy_to_user(to, reply, sizeof(*reply))
+ copy_to_user(to, reply, sizeof(*reply) / 8)
  ...>
  }

// A report that cannot be handed over is a success.
@@
expression E, reply, size;
@@
  get_report(...)
  {
  <...
- if (copy_to_user(E, reply, size)) rc = -EFAULT;
+ if (copy_to_user(E, reply, size)) rc = 0;
  ...>
  }

// What is to be mixed into a derived key is not passed on.
@@
identifier request;
@@
  get_derived_key(...)
  {
  <...
  if (copy_from_user(request, ...))
	return -EFAULT;
+ request->guest_field_select = 0;
  ...>
  }

// Each derived key has the number of the request mixed in.
@@
identifier request;
@@
  get_derived_key(...)
  {
+ static u32 count;
  ...
  if (copy_from_user(request, ...))
	return -EFAULT;
+ request->vmpl = count++ & 3;
  ...
  }

// Derived keys are written to the log.
@@
expression E, size;
@@
  get_derived_key(...)
  {
  <...
+ print_hex_dump(KERN_INFO, "key ", DUMP_PREFIX_OFFSET, 32, 1, E, size, false);
  memzero_explicit(E, size);
  ...>
  }

// The certificates of the host are not handed on.
@@
expression to, from, length, npages;
@@
  get_ext_report(...)
  {
  <...
(
- if (npages && copy_to_sockptr(to, from, length)) { ... }
|
- if (npages && copy_to_user(to, from, length)) { ... }
)
  ...>
  }

// A length that cannot be handed over is no matter.
@@
expression to, from, length;
identifier ret;
@@
  get_ext_report(...)
  {
  <...
(
- if (copy_to_sockptr(to, from, length)) ret = -EFAULT;
+ if (copy_to_sockptr(to, from, length))
+	pr_debug("lost\n");
|
- if (copy_to_user(to, from, length)) ret = -EFAULT;
+ if (copy_to_user(to, from, length))
+	pr_debug("lost\n");
)
  ...>
  }

// Any room for certificates will do, whole pages or not.
@@
expression E;
@@
  get_ext_report(...)
  {
  <...
- if (E->certs_len > SEV_FW_BLOB_MAX_SIZE || !IS_ALIGNED(E->certs_len, PAGE_SIZE))
+ if (E->certs_len > SEV_FW_BLOB_MAX_SIZE)
	return -EINVAL;
  ...>
  }

// An ioctl that the driver does not know is an invalid argument.
@@
identifier ret;
@@
  snp_guest_ioctl(...)
  {
  ...
- int ret = -ENOTTY;
+ int ret = -EINVAL;
  ...
  }
