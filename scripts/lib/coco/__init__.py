# SPDX-License-Identifier: GPL-2.0
"""The host side of coco-guest-tests: get a kernel, run it in the machine, give the verdict."""
