// SPDX-License-Identifier: GPL-2.0

@@
identifier secrets, other =~ "^vmpck[123]$";
expression key;
@@
  get_vmpck(...)
  {
  <...
- key = secrets->other;
+ key = secrets->vmpck0;
  ...>
  }
