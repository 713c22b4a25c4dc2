# SPDX-License-Identifier: GPL-2.0
"""coco selfcheck: the suites' own test, on kernels that were broken on purpose."""
