// SPDX-License-Identifier: GPL-2.0
// Before: the request that was made again without certificates was a success.

@@
identifier rc, error;
expression length;
@@
  __handle_guest_request(...)
  {
  <...
- if (!rc && error == length)
-	rc = -EIO;
  ...>
  }
