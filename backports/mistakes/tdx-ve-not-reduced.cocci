// SPDX-License-Identifier: GPL-2.0

@@
@@
- reduce_unnecessary_ve();
+ ;
