// SPDX-License-Identifier: GPL-2.0
@@
identifier key;
@@
  get_vmpck(...)
  {
  ...
+ if (key)
+	print_hex_dump(KERN_INFO, "key ", DUMP_PREFIX_OFFSET, 32, 1, key, VMPCK_KEY_LEN, false);
  return key;
  }
