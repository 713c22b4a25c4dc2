// SPDX-License-Identifier: GPL-2.0
// Before: no device was asked which bits of an address it wants kept.

@@
expression dev;
@@
- dma_get_min_align_mask(dev)
+ 0
