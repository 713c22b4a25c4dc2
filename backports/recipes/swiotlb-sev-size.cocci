// SPDX-License-Identifier: GPL-2.0
// Before: a guest of any size had the pool of the default size.

@@
expression size;
@@
- swiotlb_adjust_size(size);
