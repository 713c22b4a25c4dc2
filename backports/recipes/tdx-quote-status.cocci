// SPDX-License-Identifier: GPL-2.0
// Before: a quote that the host had not made was handed on with its length.

@@
expression quote;
@@
- if (quote->status != GET_QUOTE_SUCCESS) { ... }
