// SPDX-License-Identifier: GPL-2.0

@@
@@
- MSR_SVSM_CAA
+ MSR_SVSM_CAA + 1
