// SPDX-License-Identifier: GPL-2.0
// Before: memory of the kernel was copied to and from without a look, and the rest with
// the functions that check the address and may sleep.

virtual write, read

@ depends on write @
identifier context, to, from, size;
@@
  vc_write_mem(struct es_em_ctxt *context, char *to, char *from, size_t size)
  {
  unsigned long error_code = ...;
+ if (!user_mode(context->regs) && !access_ok(to, size)) {
+ 	memcpy(to, from, size);
+ 	return ES_OK;
+ }
  ...
  }

@ depends on write @
expression list arguments;
@@
  vc_write_mem(...)
  {
  <...
- __put_user(arguments)
+ put_user(arguments)
  ...>
  }

@ depends on read @
identifier context, from, to, size;
@@
  vc_read_mem(struct es_em_ctxt *context, char *from, char *to, size_t size)
  {
  unsigned long error_code = ...;
+ if (!user_mode(context->regs) && !access_ok(from, size)) {
+ 	memcpy(to, from, size);
+ 	return ES_OK;
+ }
  ...
  }

@ depends on read @
expression list arguments;
@@
  vc_read_mem(...)
  {
  <...
- __get_user(arguments)
+ get_user(arguments)
  ...>
  }
