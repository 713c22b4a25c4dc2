# SPDX-License-Identifier: GPL-2.0
"""The parts that are built here for every kernel alike: the machine, and the guest's programs.

A build is kept in the cache by the hash of its sources and its compiler; two runs at once
can share it, and an edit while a run goes on does not change what that run uses.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from coco import cache, command
from coco.errors import InfrastructureError

REPOSITORY = Path(__file__).resolve().parents[3]
COMPILER = "gcc"
VERSION = REPOSITORY / "VERSION"  # written where this is installed; a checkout asks git


def is_installed() -> bool:
    """Is this a copy that `coco install` made?"""
    return VERSION.is_file()


def program() -> str:
    """What a hint calls this program."""
    return "coco" if is_installed() else "scripts/coco"


def workplace() -> Path:
    """Where results/ and build/ go: the checkout, or where an installed program is run."""
    return Path.cwd() if is_installed() else REPOSITORY


def version() -> str:
    """What this checkout is called."""
    if is_installed():
        return VERSION.read_text(encoding="utf-8").strip()
    try:
        said = subprocess.run(
            ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--tags"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    except OSError:
        said = ""
    return said or "unknown"


def compiler() -> str:
    """The compiler's own words on its version."""
    return command.output([COMPILER, "--version"], "building").splitlines()[0]


def machine(say: cache.Say = cache.quiet) -> Path:
    """The machine, built: the path of machine.elf."""
    sources = (REPOSITORY / "machine",)
    return _build("machine", sources, ["machine.elf"], version(), say) / "machine.elf"


def altered_machine(changed: Mapping[str, bytes], say: cache.Say = cache.quiet) -> Path:
    """The machine with other content in these of its files, built from a copy of its sources."""
    with tempfile.TemporaryDirectory(prefix="coco-machine-") as folder:
        copy = Path(folder) / "machine"
        shutil.copytree(REPOSITORY / "machine", copy, ignore=shutil.ignore_patterns("tests"))
        for name, content in changed.items():
            (copy / name).write_bytes(content)
        built = _build(
            "machine", (copy,), ["machine.elf"], f"{version()}, altered", say, copy.parent
        )
    return built / "machine.elf"


def selftests(say: cache.Say = cache.quiet) -> Path:
    """The folder of init and all selftests, built."""
    sources = (REPOSITORY / "selftests", REPOSITORY / "machine/include")
    return _build("selftests", sources, ["init"], "", say)


def suite_sources() -> dict[str, str]:
    """suite -> a hash of all that it is built from."""
    found = {}
    rooms = ((REPOSITORY / "kunit", "coco_*.c", "coco_"), (REPOSITORY / "selftests", "*/*.c", ""))
    for room, pattern, prefix in rooms:
        shared = hashlib.sha256()
        for folder in (room / "lib", REPOSITORY / "machine/include"):
            _add(shared, folder, REPOSITORY)
        for path in room.glob(pattern):
            if path.parent.name in ("lib", "init"):
                continue
            own = shared.copy()
            beside = sorted(path.parent.glob("*.h")) if path.parent != room else []
            for source in (path, *beside):
                own.update(source.read_bytes())
            found[path.stem.removeprefix(prefix)] = own.hexdigest()[:20]
    return dict(sorted(found.items()))


def _build(
    name: str,
    sources: Sequence[Path],
    products: Sequence[str],
    salt: str,
    say: cache.Say,
    room: Path = REPOSITORY,
) -> Path:
    """`make O=... -C <name>` into an entry of the cache; room: where the sources are."""
    digest = hashlib.sha256(f"{salt}\0{compiler()}".encode())
    for source in sources:
        _add(digest, source, room)

    def fill(folder: Path) -> None:
        say(f"building {name}/")
        log = cache.folder("logs") / f"{name}.log"
        argv = ["make", "-C", str(room / name), f"O={folder}", f"CC={COMPILER}"]
        argv.append(f"-j{os.cpu_count() or 1}")
        argv += [f"VERSION={salt}"] if salt else []
        command.run(argv, log, f"building {name}/")
        for product in products:
            if not (folder / product).is_file():
                raise InfrastructureError(f"building {name}/ gave no {product}", f"see {log}")

    return cache.entry(name, digest.hexdigest()[:20], fill, say)


def _add(digest: "hashlib._Hash", folder: Path, room: Path) -> None:
    """All sources below a folder; tests and build products are no part of it."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".c", ".h", ".S", ".lds") or path.name == "Makefile":
            content = path.read_bytes()
            name = str(path.relative_to(room))
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
