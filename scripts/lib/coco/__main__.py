# SPDX-License-Identifier: GPL-2.0
"""python3 -m coco: what scripts/coco starts."""

import sys

try:
    from coco.cli import main
except ModuleNotFoundError as error:
    from coco import errors, parts  # which need no other module

    print(f"coco: python3 has no module {error.name}", file=sys.stderr)
    print(f"  run as root: {parts.program()} deps", file=sys.stderr)
    words = sys.argv[1:]
    sys.exit(errors.BISECT_ABORT if errors.is_bisection(words) else errors.INFRASTRUCTURE)

sys.exit(main(sys.argv[1:]))
