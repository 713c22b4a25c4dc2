// SPDX-License-Identifier: GPL-2.0
// Before: every caller's request was copied to one place, before it was his turn.

@@
@@
  struct snp_guest_dev {
  ...
+ union {
+	struct snp_report_req report;
+	struct snp_derived_key_req derived_key;
+	struct snp_ext_report_req ext_report;
+ } req;
  };

@@
identifier x;
attribute name __free;
@@
  get_report(...)
  {
  <...
- struct snp_report_req *x __free(kfree) = NULL;
+ struct snp_report_req *x = &snp_dev->req.report;
  ...>
  }

@@
identifier x;
attribute name __free;
@@
  get_derived_key(...)
  {
  <...
- struct snp_derived_key_req *x __free(kfree) = NULL;
+ struct snp_derived_key_req *x = &snp_dev->req.derived_key;
  ...>
  }

@@
identifier x;
attribute name __free;
@@
  get_ext_report(...)
  {
  <...
- struct snp_ext_report_req *x __free(kfree) = NULL;
+ struct snp_ext_report_req *x = &snp_dev->req.ext_report;
  ...>
  }

@@
identifier x =~ "_req$";
expression flags;
@@
- x = kzalloc_obj(*x, flags);
- if (!x)
-	return -ENOMEM;
