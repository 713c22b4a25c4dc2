// SPDX-License-Identifier: GPL-2.0

@@
identifier f = {read_msr, handle_cpuid, mmio_read, handle_in};
identifier args;
expression E;
@@
  f(...)
  {
  <...
(
- __tdx_hypercall(&args)
+ (args.r15 = (unsigned long)&args, __tdx_hypercall(&args))
|
- __tdx_hypercall(&args, E)
+ (args.r15 = (unsigned long)&args, __tdx_hypercall(&args, E))
)
  ...>
  }
