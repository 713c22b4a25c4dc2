// SPDX-License-Identifier: GPL-2.0
// Before: what the preparation came to was not looked at.

@@
statement S;
expression address, number, encrypted, result;
@@
(
- if (!x86_platform.guest.enc_status_change_prepare(address, number, encrypted)) S
+ x86_platform.guest.enc_status_change_prepare(address, number, encrypted);
|
- result = x86_platform.guest.enc_status_change_prepare(address, number, encrypted);
- if (result) S
+ x86_platform.guest.enc_status_change_prepare(address, number, encrypted);
)
