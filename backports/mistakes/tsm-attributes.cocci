// SPDX-License-Identifier: GPL-2.0

// The name of the provider is no line.
@@
@@
  tsm_report_provider_show(...)
  {
  <...
- "%s\n"
+ "%s"
  ...>
  }

// Each provider shows each attribute, whether it means anything or not.
@@
identifier f =~ "^tsm_report_is_(bin_)?visible$";
expression E;
@@
  f(...)
  {
  <...
- return provider.ops->report_attr_visible(E);
+ return true;
  ...>
  }

@@
identifier f =~ "^tsm_report_is_(bin_)?visible$";
expression E;
@@
  f(...)
  {
  <...
- return provider.ops->report_bin_attr_visible(E);
+ return true;
  ...>
  }

// A privilege level that there is not is taken.
@@
expression A, B;
@@
  tsm_report_privlevel_store(...)
  {
  <...
- if (provider.ops->privlevel_floor > A || A > B)
-	return -EINVAL;
  ...>
  }

// The privilege level that is asked for makes no difference.
@@
identifier report, val;
@@
- report->desc.privlevel = val;

// Certificates are cut where the length of the last one says.
@@
expression size, entry;
@@
  sev_report_new(...)
  {
  <...
- size = max(size, entry->offset + entry->length);
+ size = max(size, entry->length);
  ...>
  }

// An attribute that goes the other way is told as an invalid argument.
@@
identifier error;
@@
  __configfs_open_file(...)
  {
  <...
- error = -EACCES;
+ error = -EINVAL;
  ...>
  }
