# SPDX-License-Identifier: GPL-2.0
"""coco fetch: all that a check needs of the network, beforehand."""

import argparse

from coco import errors, kernels
from coco.errors import InfrastructureError
from coco.kernels import firmware
from coco.screen import Screen


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The kernel, unless it is on this machine; and firmware, which few suites start in."""
    kernel = kernels.fetch(options, screen.say)
    if kernel:
        screen.line(f"ready: {kernel.name} ({kernel.release})")
        if kernel.no_headers:
            screen.line(f"  without the KUnit suites, which cannot be built: {kernel.no_headers}")
    try:
        screen.line(f"ready: firmware {firmware.fetch(screen.say)}")
    except InfrastructureError as error:
        screen.line(f"no firmware was fetched: {error.message.splitlines()[0]}")
    return errors.OK
