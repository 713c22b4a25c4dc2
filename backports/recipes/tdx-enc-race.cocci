// SPDX-License-Identifier: GPL-2.0
// Before: both directions were done behind the change of the page tables.

@@
expression converted;
identifier encrypted;
statement S;
@@
  tdx_enc_status_change_prepare(..., bool encrypted)
  {
  ...
- if (encrypted && !converted) S
  ...
  }

@@
expression converted;
identifier encrypted;
statement S;
@@
  tdx_enc_status_change_finish(..., bool encrypted)
  {
  ...
- if (!encrypted && !converted) S
+ if (!converted) S
  ...
  }

@@
expression list arguments;
identifier encrypted;
@@
  tdx_enc_status_change_prepare(..., bool encrypted)
  {
  ...
- if (encrypted)
- 	return tdx_enc_status_changed(arguments);
  ...
  }

@@
identifier encrypted;
@@
  tdx_enc_status_change_finish(..., bool encrypted)
  {
  ...
- if (!encrypted)
  	return ...;
- return true;
  }
