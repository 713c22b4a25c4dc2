# SPDX-License-Identifier: GPL-2.0
"""What is wrong with how a kernel was configured and packaged, without booting it.

Each finding has its reason: an option that is off although the technology needs it, a driver
that was built and is not in the package, one that its device does not load, and a symbol that
an option promises and the image lacks.
"""

import fnmatch
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from coco import config
from coco.features import Catalogue, Feature
from coco.kernels import Kernel

ON = ("y", "m")

OPTION_OFF = "option-off"
NOT_PACKAGED = "driver-not-packaged"
NOT_AUTOLOADED = "driver-not-autoloaded"
NO_SYMBOL = "symbol-missing"


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong, where it matters, and why."""

    kind: str
    what: str
    technologies: tuple[str, ...]
    why: str

    @property
    def text(self) -> str:
        return f"{self.what}: {self.why}"


class Modules:
    """The module lists of a package."""

    def __init__(self, kernel: Kernel) -> None:
        self.folder: Path | None = None
        if kernel.modules:
            self.folder = kernel.modules / "lib/modules" / kernel.release

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name if self.folder else None
        return path.read_text(encoding="utf-8").splitlines() if path and path.is_file() else []

    @cached_property
    def names(self) -> frozenset[str]:
        """All that can be loaded, with _ for -."""
        return frozenset(_name(line.partition(":")[0]) for line in self._lines("modules.dep"))

    @cached_property
    def aliases(self) -> list[tuple[str, str]]:
        """(pattern of a device, module)."""
        words = (line.split() for line in self._lines("modules.alias"))
        return [(one[1], one[2]) for one in words if len(one) == 3 and one[0] == "alias"]

    def has(self, driver: str) -> bool:
        return driver.replace("-", "_") in self.names

    def loads_by(self, alias: str, driver: str) -> bool:
        """Does a device of that name load the driver?"""
        name = driver.replace("-", "_")
        return any(
            module.replace("-", "_") == name
            and (fnmatch.fnmatchcase(pattern, alias) or fnmatch.fnmatchcase(alias, pattern))
            for pattern, module in self.aliases
        )


def _name(path: str) -> str:
    return re.sub(r"\.ko(\.\w+)?$", "", Path(path).name).replace("-", "_")


def flaws(kernel: Kernel, catalogue: Catalogue) -> list[Flaw]:
    """All that is wrong, for the technologies that this kernel has code for."""
    has = kernel.technologies
    found = _options(kernel.config, catalogue, has)
    modules = Modules(kernel)
    for feature in catalogue.features:
        where = tuple(one for one in feature.technologies if one in has)
        if where and feature.driver:
            found += _driver(feature, kernel.config, modules, where)
    return found + _symbols(kernel, catalogue)


def _options(options: Mapping[str, str], catalogue: Catalogue, has: Collection[str]) -> list[Flaw]:
    return [
        Flaw(OPTION_OFF, f"CONFIG_{one.option} is off", where, one.why)
        for one in catalogue.options
        if (where := tuple(name for name in one.technologies if name in has))
        and options.get(one.option) not in ON
    ]


def _driver(
    feature: Feature, options: Mapping[str, str], modules: Modules, where: tuple[str, ...]
) -> list[Flaw]:
    """The driver's own option is the last of the feature's."""
    option = feature.options[-1] if feature.options else ""
    if options.get(option) != "m" or modules.folder is None:
        return []
    if not modules.has(feature.driver):
        why = f"CONFIG_{option}=m, and no package that was given has it"
        return [Flaw(NOT_PACKAGED, f"{feature.driver}.ko is not there", where, why)]
    if feature.alias and not modules.loads_by(feature.alias, feature.driver):
        why = f"nothing in modules.alias leads from {feature.alias} to it"
        return [Flaw(NOT_AUTOLOADED, f"{feature.driver}.ko is not loaded by itself", where, why)]
    return []


def _symbols(kernel: Kernel, catalogue: Catalogue) -> list[Flaw]:
    names = symbols(kernel)
    if not names:
        return []
    return [
        Flaw(
            NO_SYMBOL,
            f"{symbol} is missing",
            kernel.technologies,
            f"CONFIG_{option}=y, yet the image does not have it: this is not its configuration",
        )
        for option, symbol in catalogue.symbols
        if kernel.config.get(option) == "y" and symbol not in names
    ]


def symbols(kernel: Kernel) -> frozenset[str]:
    """What System.map beside the image or the headers lists; nothing where there is no such map."""
    folders = [kernel.vmlinuz.parent]
    if kernel.modules:
        folders += [kernel.modules / "boot", kernel.modules / "lib/modules" / kernel.release]
    folders += [kernel.headers] if kernel.headers else []
    for folder in folders:
        for name in (f"System.map-{kernel.release}", "System.map"):
            path = folder / name
            # Debian puts a line of text there where the map is in another package
            if path.is_file() and path.stat().st_size > 10_000:
                lines = path.read_text(encoding="utf-8").splitlines()
                return frozenset(line.split()[-1] for line in lines if line)
    return frozenset()


def lacks(feature: Feature, technology: str, kernel: Kernel) -> list[str]:
    """Why this kernel does not have a feature at all; nothing if it has."""
    if technology not in kernel.technologies:
        missing = config.missing(kernel.config, config.PERSONALITY.get(technology, ()))
        reasons = [f"CONFIG_{one.options[0]} is off" for one in missing]
        return reasons or [f"the image has no code for {technology}"]
    return [
        f"CONFIG_{option} is off"
        for option in feature.options
        if kernel.config.get(option) not in ON
    ]
