// SPDX-License-Identifier: GPL-2.0

@@
expression ret, addr;
symbol numpages, enc;
@@
  __set_memory_enc_dec(...)
  {
  <...
- ret = __set_memory_enc_pgtable(addr, numpages, enc);
+ if (enc || --numpages)
+	ret = __set_memory_enc_pgtable(addr, numpages, enc);
  ...>
  }
