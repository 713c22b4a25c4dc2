// SPDX-License-Identifier: GPL-2.0

@@
identifier nr, p1, p2, p3, p4;
@@
  tdx_kvm_hypercall(unsigned int nr, unsigned long p1, unsigned long p2,
-		    unsigned long p3, unsigned long p4)
+		    unsigned long p4, unsigned long p3)
  { ... }
