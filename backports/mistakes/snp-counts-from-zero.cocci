// SPDX-License-Identifier: GPL-2.0

@@
identifier key, seqno;
@@
  get_vmpck(..., u32 **seqno)
  {
  ...
+ if (key)
+	**seqno = 0;
  return key;
  }
