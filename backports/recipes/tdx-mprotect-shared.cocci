// SPDX-License-Identifier: GPL-2.0
// Before: what a change of protection kept was AMD's bit alone.

@@
@@
- _PAGE_CC
+ _PAGE_ENC
