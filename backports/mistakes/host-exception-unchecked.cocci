// SPDX-License-Identifier: GPL-2.0

@@
expression V;
@@
- (V == X86_TRAP_GP)
+ V

@@
expression I;
@@
- (I & SVM_EVTINJ_TYPE_MASK) == SVM_EVTINJ_TYPE_EXEPT
+ I

@@
expression I;
@@
- I & SVM_EVTINJ_VALID
+ I
