// SPDX-License-Identifier: GPL-2.0
// Before: of the two ways to write each of MONITOR and MWAIT, one was known.

@@
expression opcode, modrm;
@@
(
- opcode == 0x010f && (modrm == 0xc8 || modrm == 0xfa)
+ opcode == 0x010f && modrm == 0xc8
|
- opcode == 0x010f && (modrm == 0xc9 || modrm == 0xfb)
+ opcode == 0x010f && modrm == 0xc9
)
