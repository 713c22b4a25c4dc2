// SPDX-License-Identifier: GPL-2.0
// Before: the number of pages had 32 bits, and so had its number of bytes.

@@
identifier address, count, op;
@@
- set_pages_state(unsigned long address, unsigned long count, int op)
+ set_pages_state(unsigned long address, unsigned int count, int op)
  { ... }

// Up to 6.1; later a request tells
@@
identifier address, count, validate;
@@
- pvalidate_pages(unsigned long address, unsigned long count, bool validate)
+ pvalidate_pages(unsigned long address, unsigned int count, bool validate)
  { ... }

@@
identifier address, gpa, count, op;
@@
- early_set_pages_state(unsigned long address, unsigned long gpa, unsigned long count, enum psc_op op)
+ early_set_pages_state(unsigned long address, unsigned long gpa, unsigned int count, enum psc_op op)
  { ... }

@@
identifier gpa, count, op;
@@
- early_set_pages_state(unsigned long gpa, unsigned long count, enum psc_op op)
+ early_set_pages_state(unsigned long gpa, unsigned int count, enum psc_op op)
  { ... }
