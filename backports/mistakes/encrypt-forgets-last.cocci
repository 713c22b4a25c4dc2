// SPDX-License-Identifier: GPL-2.0

// But for the kernel's own image, without whose last page SEV-SNP does not come up.
@@
expression ret;
symbol addr, numpages, enc;
@@
  __set_memory_enc_dec(...)
  {
  <...
- ret = __set_memory_enc_pgtable(addr, numpages, enc);
+ if (!enc || addr >= __START_KERNEL_map || --numpages)
+	ret = __set_memory_enc_pgtable(addr, numpages, enc);
  ...>
  }
