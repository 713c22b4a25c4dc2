// SPDX-License-Identifier: GPL-2.0
// Before: nobody looked whether memory could be encrypted again before it was freed.

@@
expression list args;
expression condition;
@@
(
- if (dma_set_encrypted(args))
-	return;
+ dma_set_encrypted(args);
|
- if (condition && dma_set_encrypted(args))
-	return;
+ if (condition)
+	dma_set_encrypted(args);
|
- if (set_memory_encrypted(args)) {
-	pr_warn_ratelimited(...);
-	return;
- }
+ set_memory_encrypted(args);
)

@@
@@
  dma_set_encrypted(...)
  {
  <...
- if (ret) pr_warn_ratelimited(...);
  ...>
  }
