# SPDX-License-Identifier: GPL-2.0
"""python3 -m coco: what scripts/coco starts."""

import sys

from coco.cli import main

sys.exit(main(sys.argv[1:]))
