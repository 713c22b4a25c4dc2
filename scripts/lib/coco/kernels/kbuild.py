# SPDX-License-Identifier: GPL-2.0
"""Configure and compile a kernel tree, out of tree (O=), never writing to it.

    trees/<name>-<hash of path>/<variant>/configure/   where the .config is made
                                          build/       O= of the build
                                          configured   what the .config was made from
                                          build.log
"""

import hashlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command, config
from coco.cache import Say
from coco.errors import UsageError
from coco.files import check_space

FRAGMENTS = Path(__file__).resolve().parents[3] / "configs"
DEFAULT_FRAGMENTS = ("base", "guest-amd", "guest-tdx", "memory", "drivers", "kunit")
SPACE_MIB = 1500
# What decodes the instruction of the first #VC of an SEV-ES guest, before KASAN has its shadow:
# with checks in it no such guest comes up (backports/findings/vc-kasan.txt)
NOT_CHECKED = tuple(f"KASAN_SANITIZE_{name}.o=n" for name in ("insn", "inat", "maccess"))

_STEP = re.compile(r" {2}([A-Z][A-Z0-9_]+) +(?:\[M\] +)?(\S+\.\S+)")
_SETTING = re.compile(r"(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)")
_PRODUCTS = ("*.o", "*.a", "*.ko", "*.so", "*.cmd", "vmlinux*", "bzImage", "*.bin", "*.gz")


@dataclass(frozen=True)
class Place:
    """Where one variant of one tree is built."""

    tree: Path
    folder: Path
    words: tuple[str, ...] = ()  # more for make

    @classmethod
    def of(cls, tree: Path, variant: str, words: tuple[str, ...] = ()) -> "Place":
        digest = hashlib.sha256(str(tree).encode()).hexdigest()[:10]
        name = cache.key(f"{tree.name}-{digest}")
        return cls(tree, cache.folder("trees", name, cache.key(variant)), words)

    @property
    def lock(self) -> str:
        return f"tree-{self.folder.parent.name}-{self.folder.name}"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def log(self) -> Path:
        return self.folder / "build.log"


def environment() -> dict[str, str]:
    """For make: nothing of the caller's that would change the result.

    With a fixed time and user, equal sources give an equal image.  Python in
    the tree's scripts must leave no __pycache__ there.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "LC_ALL": "C",
        "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
        "KBUILD_BUILD_USER": "coco",
        "KBUILD_BUILD_HOST": "coco",
        "KBUILD_BUILD_VERSION": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _make(place: Place, output: str, *words: str) -> list[str]:
    # LOCALVERSION= keeps setlocalversion from asking git.
    folder = place.folder / output
    own = (f"O={folder}", "ARCH=x86_64", "LOCALVERSION=", *place.words)
    return ["make", "-C", str(place.tree), *own, *words]


def configure(
    place: Place, fragments: Sequence[str], own: Path | None, lock: int, say: Say
) -> list[str]:
    """Make build/.config from the fragments or the user's file, if it is out of date.

    Returns notes: what was asked for and is not so.
    """
    with cache.disk_errors(place.folder):
        for name in ("configure", "build"):
            (place.folder / name).mkdir(exist_ok=True)
    files = [own] if own else [FRAGMENTS / f"{name}.config" for name in fragments]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    # Another compiler has other options: kbuild would ask about them.
    compiler = command.output(["gcc", "--version"], "configuring a kernel")
    wanted = hashlib.sha256("\0".join([compiler, *texts]).encode()).hexdigest()
    stamp = place.folder / "configured"
    target = place.build / ".config"
    if target.is_file() and stamp.is_file():
        first, *notes = stamp.read_text(encoding="utf-8").splitlines() or [""]
        if first == wanted and not _kconfig_is_newer(place, stamp):
            return notes
    stamp.unlink(missing_ok=True)
    say(f"configuring {place.tree}")
    work = place.folder / "configure"
    log = place.folder / "configure.log"

    def run(argv: Sequence[str], append: bool = True) -> None:
        command.run(
            argv,
            log,
            f"configuring {place.tree}",
            env=environment(),
            cwd=work,
            keep_open=(lock,),
            append=append,
        )

    if own:
        with cache.disk_errors(work):
            (work / ".config").write_text(texts[0], encoding="utf-8")
        log.write_text("", encoding="utf-8")
    else:
        run(_make(place, "configure", "tinyconfig"), append=False)
        merge = str(place.tree / "scripts/kconfig/merge_config.sh")
        # It makes its temporary files where it runs: not in the tree.
        run(["sh", merge, "-m", "-O", str(work), str(work / ".config"), *map(str, files)])
    run(_make(place, "configure", "olddefconfig"))
    text = (work / ".config").read_text(encoding="utf-8")
    unknown, notes = _differences(place.tree, "\n".join(texts), config.parse(text))
    if unknown and not own:
        say("options that this tree does not have: " + " ".join(unknown))
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        cache.write(target, text)
    cache.write(stamp, "\n".join([wanted, *notes]) + "\n")
    return notes


def reconfigure(place: Place, lock: int) -> None:
    """Bring build/.config up to date with Kconfig files that changed, as olddefconfig does."""
    command.run(
        _make(place, "build", "olddefconfig"),
        place.folder / "configure.log",
        f"configuring {place.tree}",
        env=environment(),
        keep_open=(lock,),
    )


def _kconfig_is_newer(place: Place, stamp: Path) -> bool:
    """Whether a Kconfig file changed since: the tree may have other options now."""
    listing = place.build / "include/config/auto.conf.cmd"
    if not listing.is_file():
        return True
    names = re.findall(r"^\t(\S*Kconfig\S*)", listing.read_text(errors="replace"), re.MULTILINE)
    since = stamp.stat().st_mtime
    try:
        return any((place.tree / name).stat().st_mtime > since for name in names)
    except OSError:
        return True


def _differences(tree: Path, wanted: str, got: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What was asked for and is not so: (options unknown to the tree, refused by it and how)."""
    settings: dict[str, str] = {}
    for line in wanted.splitlines():
        match = _SETTING.fullmatch(line.strip())
        if match and match[1]:
            settings[match[1]] = match[2].strip('"')
        elif match:
            settings.pop(match[3], None)  # a later fragment takes it back
    lost = {
        name: value for name, value in settings.items() if value != "n" and got.get(name) != value
    }
    known = _known_options(tree) if lost else set()
    unknown = [name for name in lost if name not in known]
    refused = [
        f"CONFIG_{name}={value} was refused, it is {got.get(name, 'not set')}"
        for name, value in lost.items()
        if name in known
    ]
    return unknown, refused


def _known_options(tree: Path) -> set[str]:
    """The names of all options in the tree's Kconfig files."""
    names: set[str] = set()
    skip = {"Documentation", ".git", "tools"}
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if name not in skip]
        for name in files:
            if name.startswith("Kconfig"):
                text = (Path(folder) / name).read_text(encoding="utf-8", errors="replace")
                names.update(re.findall(r"^\s*(?:menu)?config\s+(\w+)", text, re.MULTILINE))
    return names


def compile_(place: Place, lock: int, say: Say) -> None:
    """Bring image and modules up to date, with a line of progress now and then."""
    jobs = os.cpu_count() or 1
    unfinished = place.folder / "unfinished"
    cold = not (place.build / "vmlinux").is_file()
    if cold:
        check_space(place.folder, SPACE_MIB, f"building {place.tree}", cache.PLACE)
        say(f"building {place.tree} with {jobs} jobs: some minutes the first time")
    if unfinished.is_file():
        _forget_last_minute(place.build)
    cache.write(unfinished, "")
    progress = _Progress(say)
    command.run(
        _make(place, "build", f"-j{jobs}", "bzImage", "modules"),
        place.log,
        f"building {place.tree}",
        env=environment(),
        on_line=progress.line,
        keep_open=(lock,),
    )
    unfinished.unlink()
    if progress.count:
        say(f"built: {progress.count} objects in {progress.seconds:.0f} s")


class _Progress:
    """Counts what make says it does."""

    def __init__(self, say: Say, every: float = 15.0) -> None:
        self.say = say
        self.every = every
        self.count = 0
        self.begin = self.last = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def line(self, text: str) -> None:
        match = _STEP.match(text)
        if not match or match[1] in ("CALL", "CHK", "DESCEND", "GEN", "UPD"):
            return
        self.count += 1
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            where = os.path.dirname(match[2]).rpartition("/build/")[2] or match[2]
            self.say(f"building: {self.count} objects, {self.seconds:.0f} s, now {where}")


def _forget_last_minute(build: Path) -> None:
    """After a build that was killed outright: what it wrote last may be cut short."""
    products = {path for pattern in _PRODUCTS for path in build.rglob(pattern)}
    times = {path: path.stat().st_mtime for path in products if path.is_file()}
    newest = max(times.values(), default=0.0)
    for path, changed in times.items():
        if changed > newest - 60:
            path.unlink()


def check_config_file(path: Path) -> None:
    """CONFIG=<file> must be a kernel configuration, and one for x86."""
    if not path.is_file():
        raise UsageError(f"CONFIG={path} does not exist or is no file")
    options = config.read(path)
    if not options:
        raise UsageError(f"CONFIG={path} is no kernel configuration: it sets no CONFIG_ option")
    if "X86" not in options and "X86_64" not in options:
        others = [name for name in ("ARM64", "ARM", "RISCV", "S390", "PPC64") if name in options]
        if others:
            raise UsageError(f"CONFIG={path} is for {others[0].lower()}, the machine is x86")
