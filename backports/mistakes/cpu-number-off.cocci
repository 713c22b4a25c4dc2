// SPDX-License-Identifier: GPL-2.0

@@
expression number;
@@
(
- write_rdtscp_aux(number)
+ write_rdtscp_aux(number + 1)
|
- wrmsr(MSR_TSC_AUX, number, 0)
+ wrmsr(MSR_TSC_AUX, number + 1, 0)
|
- wrmsrq(MSR_TSC_AUX, number)
+ wrmsrq(MSR_TSC_AUX, number + 1)
)
