# SPDX-License-Identifier: GPL-2.0
"""A tree with changed files: just what depends on them is built anew, and nothing is left."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_kernel
import pytest

from coco import cache, kernels
from coco.errors import InfrastructureError
from coco.kernels import Request, altered, kbuild, tree

# A kernel of two objects; what they include is known from a record only, as in kbuild
MAKEFILE = """
bzImage modules: $(O)/arch/x86/boot/bzImage
$(O)/arch/x86/boot/bzImage: $(O)/a.o $(O)/b.o
\tcat $^ > $@
$(O)/%.o: arch/x86/%.c
\tgrep -v broken $< > $@
\techo $* >> $(O)/made
-include $(O)/.a.o.cmd
"""


class World:
    """A tree, its build, and what is built of it when files change."""

    def __init__(self, folder: Path) -> None:
        self.tree = fake_kernel.tree(folder / "tree")
        (self.tree / "Makefile").write_text(
            (self.tree / "Makefile").read_text() + MAKEFILE, encoding="utf-8"
        )
        for name in ("a", "b"):
            (self.tree / f"arch/x86/{name}.c").write_text(f"{name} as it was\n")
        (self.tree / "arch/x86/a.h").write_text("header\n")
        (self.tree / "Documentation").mkdir()
        (self.tree / "Documentation/text").write_text("text\n")
        self.request = Request(kdir=self.tree)
        self.place = tree.place_of(self.request)
        build = self.place.build
        (build / "arch/x86/boot").mkdir(parents=True)
        (build / ".config").touch()
        (build / ".a.o.cmd").write_text(f"{build}/a.o: {self.tree}/arch/x86/a.h\n")
        (build / "source").symlink_to(self.tree)
        past = time.time() - 100
        for path in self.tree.rglob("*"):
            os.utime(path, (past, past))
        with cache.lock("test") as lock:
            kbuild.compile_(self.place, lock, cache.quiet)
        (build / "made").unlink()
        self.before = self.listing()

    @property
    def output(self) -> Path:
        return self.place.folder / "altered/build"

    def listing(self) -> dict[str, tuple[float, bytes]]:
        """All of the tree and of its build."""
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for top in (self.tree, self.place.build)
            for path in top.rglob("*")
            if path.is_file()
        }

    def build(self, **files: bytes | None) -> str:
        """Change arch/x86/<name>.c; what was compiled."""
        names = {f"arch/x86/{name.replace('_', '.')}": content for name, content in files.items()}
        image = self.place.build / tree.IMAGE
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        kernel = kernels.Kernel("fake", "tree", "6", image, digest, {}, ("none",))
        altered.build(self.request, kernel, names)
        made = self.output / "made"
        return " ".join(made.read_text().split()) if made.is_file() else ""

    @property
    def image(self) -> str:
        return (self.output / tree.IMAGE).read_text()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The tree and its own build are the same afterwards."""

    def kernel_of(output: Path, *_rest: Any) -> kernels.Kernel:
        return kernels.Kernel("altered", "tree", "6", output / tree.IMAGE, "", {}, ("none",))

    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tree, "kernel_of", kernel_of)
    made = World(tmp_path)
    yield made
    assert made.listing() == made.before


def test_nothing_changed_builds_nothing(world: World) -> None:
    assert world.build() == ""
    assert world.image == "a as it was\nb as it was\n"


def test_only_what_changed_is_compiled(world: World) -> None:
    assert world.build(b_c=b"b is new\n") == "b"
    assert world.image == "a as it was\nb is new\n"


def test_nothing_is_left_of_the_change_before(world: World) -> None:
    world.build(b_c=b"b is new\n")
    assert world.build(a_c=b"a is new\n") == "a"
    assert world.image == "a is new\nb as it was\n"
    assert world.build() == ""
    assert world.image == "a as it was\nb as it was\n"


def test_a_dependency_that_only_a_record_names_is_compiled(world: World) -> None:
    assert world.build(a_h=b"new header\n") == "a"


def test_what_does_not_compile_is_told_apart_and_leaves_nothing(world: World) -> None:
    with pytest.raises(altered.DoesNotBuild):
        world.build(b_c=b"broken\n")
    assert world.build() == ""
    assert world.image == "a as it was\nb as it was\n"


def test_a_file_can_be_taken_away_and_comes_back(world: World) -> None:
    world.build(a_c=None)
    there = world.output.parent / "tree/arch/x86/a.c"
    assert not os.path.lexists(there)
    world.build()
    assert there.read_text() == "a as it was\n"


def test_links_follow_the_tree(world: World) -> None:
    world.build()
    new = world.tree / "arch/x86/c.c"
    new.write_text("new\n")
    world.build()
    assert (world.output.parent / "tree/arch/x86/c.c").resolve() == new
    new.unlink()
    world.build()
    assert not os.path.lexists(world.output.parent / "tree/arch/x86/c.c")


def test_a_link_never_lets_a_change_through(world: World) -> None:
    kernel_of_now = world.before
    image = world.place.build / tree.IMAGE
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    kernel = kernels.Kernel("fake", "tree", "6", image, digest, {}, ("none",))
    altered.build(world.request, kernel, {"Documentation/text": b"changed\n"})
    assert world.listing() == kernel_of_now


def test_a_build_that_another_run_changed_is_refused(world: World) -> None:
    image = world.place.build / tree.IMAGE
    kernel = kernels.Kernel("fake", "tree", "6", image, "0" * 64, {}, ("none",))
    with pytest.raises(InfrastructureError, match="rebuilt by another run while"):
        altered.build(world.request, kernel, {})


@pytest.mark.parametrize(
    ("name", "refused"), [("arch/x86/a.c", True), ("Kconfig", True), ("notes.txt", False)]
)
def test_a_tree_that_was_edited_meanwhile_is_refused(
    world: World, name: str, refused: bool
) -> None:
    """The side without the fix alone would have the edit."""
    now = time.time()
    file = world.tree / name
    file.write_text("edited\n")
    os.utime(file, (now + 1, now + 1))
    world.before = world.listing()
    image = world.place.build / tree.IMAGE
    sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
    kernel = kernels.Kernel("fake", "tree", "6", image, sha256, {}, ("none",))
    if refused:
        with pytest.raises(InfrastructureError, match=f"{name} was edited"):
            altered.build(world.request, kernel, {}, now)
    else:
        altered.build(world.request, kernel, {}, now)


def test_paths_are_renamed_whole() -> None:
    rename = altered._renamer({Path("/t/6.1"): Path("/new/tree")})
    assert rename(b"-I/t/6.1/include /t/6.12/x /t/6.1: =/t/6.1/=") == (
        b"-I/new/tree/include /t/6.12/x /new/tree: =/new/tree/="
    )
