# SPDX-License-Identifier: GPL-2.0
"""The words for what a kernel has of a fix."""

FIXED, NOT_FIXED = "FIXED", "NOT FIXED"  # by behaviour
CLAIMED, NOT_CLAIMED = "CLAIMED", "NOT CLAIMED"  # by its source, or its release
NOT_APPLICABLE, UNKNOWN = "NOT APPLICABLE", "UNKNOWN"
