// SPDX-License-Identifier: GPL-2.0

@@
expression ptr, size;
@@
  __set_percpu_decrypted(...)
  {
- early_set_memory_decrypted((unsigned long) ptr, size);
+ early_set_memory_decrypted((unsigned long) ptr, size + PAGE_SIZE);
  }

@@
@@
  mem_encrypt_free_decrypted_mem(...)
  {
  <...
- set_memory_encrypted(...)
+ set_memory_decrypted((unsigned long)__start_bss_decrypted - PAGE_SIZE, 1) ?: -ENOMEM
  ...>
  }
