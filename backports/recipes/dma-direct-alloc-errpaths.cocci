// SPDX-License-Identifier: GPL-2.0
// Before: nobody asked whether the memory is shared now.

@@
identifier out;
expression err, shared;
expression list args;
@@
(
- if (dma_set_decrypted(args))
-	goto out;
+ dma_set_decrypted(args);
|
- if (shared && dma_set_decrypted(args))
-	goto out;
+ if (shared)
+	dma_set_decrypted(args);
|
- if (set_memory_decrypted(args))
-	goto out;
+ set_memory_decrypted(args);
|
- err = set_memory_decrypted(args);
- if (err)
-	goto out;
+ set_memory_decrypted(args);
)
