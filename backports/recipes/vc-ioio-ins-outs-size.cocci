// SPDX-License-Identifier: GPL-2.0
// Before: every access went through a pointer to char, so that one byte moved
// whatever the size was.  (Coccinelle does not see __user, and it is lost here.)

@@
typedef u16, u32, u64;
identifier pointer, f =~ "^vc_(read|write)_mem$";
expression address;
@@
  f(...)
  {
  <...
(
- u16 *pointer = (u16 *)address;
+ char *pointer = (char *)address;
|
- u32 *pointer = (u32 *)address;
+ char *pointer = (char *)address;
|
- u64 *pointer = (u64 *)address;
+ char *pointer = (char *)address;
)
  ...>
  }
