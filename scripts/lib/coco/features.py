# SPDX-License-Identifier: GPL-2.0
"""The features that `coco qualify` states of a kernel, and what an image is declared to have.

    backports/features.yaml          features, options with reasons, symbols of options
    backports/profiles/<name>.yaml   declared: supported, partial or absent
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coco import expect, parts
from coco.errors import UsageError, did_you_mean
from coco.model import PERSONALITIES

FILE = parts.REPOSITORY / "backports/features.yaml"
PROFILES = parts.REPOSITORY / "backports/profiles"
SCHEMA = Path(__file__).with_name("features.schema.json")


@dataclass(frozen=True)
class Feature:
    """One feature, as it is written down."""

    name: str
    title: str
    technologies: tuple[str, ...]
    shown_by: tuple[str, ...]  # globs of cases
    options: tuple[str, ...] = ()
    driver: str = ""
    alias: str = ""


@dataclass(frozen=True)
class Wanted:
    """An option that kernels for some technologies should have."""

    option: str
    technologies: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Catalogue:
    """All of backports/features.yaml."""

    features: tuple[Feature, ...]
    options: tuple[Wanted, ...]
    symbols: tuple[tuple[str, str], ...]  # option, and a symbol of the image that has it


@dataclass(frozen=True)
class Profile:
    """What an image is declared to support; nothing at all without a profile."""

    name: str = ""
    technologies: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[tuple[str, str], str] = field(default_factory=dict)  # technology, feature


def load(path: Path = FILE) -> Catalogue:
    """The features, checked."""
    data = expect.read(path, "features", SCHEMA)
    features = tuple(
        Feature(
            name,
            one["title"],
            tuple(tech for tech in PERSONALITIES if tech in one["technologies"]),
            tuple(one["shown_by"]),
            tuple(one.get("options", ())),
            one.get("driver", ""),
            one.get("alias", ""),
        )
        for name, one in data["features"].items()
    )
    options = tuple(
        Wanted(one["option"], tuple(one["technologies"]), one["why"]) for one in data["options"]
    )
    symbols = tuple((one["option"], one["symbol"]) for one in data["symbols"])
    return Catalogue(features, options, symbols)


def load_profile(word: str, catalogue: Catalogue) -> Profile:
    """PROFILE=: a file, or the name of one of ours; "" declares nothing."""
    if not word:
        return Profile()
    path = Path(word)
    if not path.suffix and not path.exists():
        path = PROFILES / f"{word}.yaml"
    if not path.is_file():
        ours = [one.stem for one in sorted(PROFILES.glob("*.yaml"))]
        raise UsageError(f"PROFILE={word}: no such profile", f"a file, or one of {', '.join(ours)}")
    data = expect.read(path, "profile", SCHEMA)
    technologies, features = {}, {}
    known = {one.name: one for one in catalogue.features}
    for technology, declared in data["technologies"].items():
        technologies[technology] = declared["state"]
        for name, state in declared.get("features", {}).items():
            if name not in known:
                raise UsageError(f"{path}: no feature {name}", did_you_mean(name, known))
            if technology not in known[name].technologies:
                raise UsageError(f"{path}: {name} is no feature of {technology}")
            features[technology, name] = state
    return Profile(data["name"], technologies, features)
