// SPDX-License-Identifier: GPL-2.0

@@
expression R, off;
@@
(
- R->si += off;
|
- R->di += off;
)
