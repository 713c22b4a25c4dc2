# SPDX-License-Identifier: GPL-2.0
"""The initramfs: init, the selftests, the suites, and the drivers that they need.

    /init                           static, mounts what it needs
    /coco/config                    the kernel's configuration
    /coco/modules/<name>.ko         coco.ko and the suites
    /coco/selftests/<name>          static programs
    /lib/modules/<release>/...      drivers of the kernel's own, decompressed,
                                    with modules.dep and modules.builtin

Two builds of the same input are the same file, byte for byte.
"""

import hashlib
import lzma
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coco import cache, command
from coco.cache import Say
from coco.errors import InfrastructureError
from coco.kernels import Kernel

# Drivers of the kernel's own that suites load (modprobe in the run file).
# Those that the kernel lacks or has built in are left out.
DRIVERS: Mapping[str, str] = {
    "sev-guest": "attestation of SEV-SNP guests",
    "tdx-guest": "attestation of TDX guests",
    "tsm": "attestation reports through configfs",
    "tsm_report": "the same, by its newer name",
    "tsm-mr": "measurement registers",
    "tpm_svsm": "the virtual TPM of an SVSM",
    "efi_secret": "secrets injected at launch",
    "configfs": "the interface of tsm",
    "efivarfs": "EFI variables",
    "qemu_fw_cfg": "the run file on plain QEMU",
    "msr": "MSRs from user space",
    "cpuid": "CPUID of a chosen vCPU from user space",
    "virtio_pci": "virtio devices",
    "virtio_mmio": "virtio devices without PCI",
    "virtio_blk": "a device that reads and writes shared memory",
    "virtio_net": "a device that reads and writes shared memory",
    "virtio_console": "a device that reads and writes shared memory",
    "virtio-rng": "a small device that writes shared memory",
    "virtio_balloon": "pages given back to the host",
    "virtio_mem": "memory plugged and unplugged",
    "vmw_vsock_virtio_transport": "sockets to the host",
    "vmgenid": "the generation of a snapshot",
    "ptp_kvm": "the host's clock through a shared page",
    "pvpanic": "a panic told to the host",
    "pvpanic-pci": "a panic told to the host",
}

# Asked for by name at run time, where no modprobe answers: load them first.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "sev_guest": ("gcm", "ctr", "ghash_generic", "aes_generic"),
}

_SUFFIXES = re.compile(r"\.ko(\.xz|\.zst|\.gz)?$")
_LISTS = _DEP, _BUILTIN = "modules.dep", "modules.builtin"
_TIME = 1  # of every file: 1970, so that equal input gives an equal image


def initramfs(
    kernel: Kernel,
    programs: Path,
    modules: Path | None = None,
    say: Say = cache.quiet,
    theirs: Sequence[Path] = (),
) -> Path:
    """The image for kernel: programs holds init and the selftests, modules the suites.

    theirs: programs of the kernel's own tree.
    """
    init = programs / "init"
    if not os.access(init, os.X_OK):
        raise InfrastructureError(f"{init} is missing: the user space of the guest is not built")
    selftests = [
        path
        for path in sorted(programs.iterdir())
        if path.is_file() and os.access(path, os.X_OK) and path.name != "init"
    ] + list(theirs)
    suites = sorted(modules.glob("*.ko")) if modules else []
    digest = hashlib.sha256(kernel.sha256.encode())
    digest.update(repr((sorted(DRIVERS), _ALSO, _TIME)).encode())
    for path in [init, *selftests, *suites, *_driver_files(kernel)]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())

    def build(folder: Path) -> None:
        root = folder / "root"
        for path, mode, target in [
            (init, 0o755, root / "init"),
            *((path, 0o755, root / "coco/selftests" / path.name) for path in selftests),
            *((path, 0o644, root / "coco/modules" / path.name) for path in suites),
        ]:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(mode)
        lines = (f"CONFIG_{name}={value}" for name, value in sorted(kernel.config.items()))
        (root / "coco/config").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in ("dev", "proc", "sys", "run", "tmp"):
            (root / name).mkdir()
        _add_drivers(kernel, root)
        pack(root, folder / "initramfs.cpio", folder)
        shutil.rmtree(root)

    name = f"{kernel.release}-{digest.hexdigest()[:20]}"
    path = cache.entry("initramfs", name, build, say) / "initramfs.cpio"
    cache.prune("initramfs")
    return path


def drivers(kernel: Kernel) -> tuple[str, ...]:
    """Which of DRIVERS this kernel has as modules."""
    if kernel.modules is None:
        return ()
    table = _modules_dep(kernel.modules / "lib/modules" / kernel.release)
    return tuple(name for name in DRIVERS if _canonical(name) in table)


def _canonical(name: str) -> str:
    return _SUFFIXES.sub("", os.path.basename(name)).replace("-", "_")


def _modules_dep(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """name -> (path, names of all it depends on; the last one is loaded first)."""
    table = {}
    for line in (folder / _DEP).read_text(encoding="utf-8").splitlines():
        path, _, rest = line.partition(":")
        table[_canonical(path)] = (path, [_canonical(word) for word in rest.split()])
    return table


def _driver_files(kernel: Kernel) -> list[Path]:
    """What _add_drivers() reads: somebody may build a module anew."""
    if kernel.modules is None:
        return []
    source = kernel.modules / "lib/modules" / kernel.release
    table = _modules_dep(source)
    lists = [path for name in _LISTS if (path := source / name).is_file()]
    return lists + [source / table[name][0] for name in sorted(_needed(table))]


def _needed(table: Mapping[str, tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Drivers and all they depend on: name -> names of what is loaded before it."""
    needed: dict[str, list[str]] = {}

    def need(name: str) -> None:
        if name in needed or name not in table:
            return
        depends = list(table[name][1])
        for other in _ALSO.get(name, ()):
            if other in table and other not in depends:
                depends += [other, *(one for one in table[other][1] if one not in depends)]
        needed[name] = depends
        for other in depends:
            need(other)

    for driver in DRIVERS:
        need(_canonical(driver))
    return needed


def _add_drivers(kernel: Kernel, root: Path) -> None:
    """Copy drivers and all they depend on, decompressed, and write their modules.dep."""
    if kernel.modules is None:
        return
    source = kernel.modules / "lib/modules" / kernel.release
    target = root / "lib/modules" / kernel.release
    table = _modules_dep(source)
    needed = _needed(table)
    lines = []
    for name in sorted(needed):
        path = table[name][0]
        plain = _SUFFIXES.sub(".ko", path)
        (target / plain).parent.mkdir(parents=True, exist_ok=True)
        (target / plain).write_bytes(_module_bytes(source / path))
        names = " ".join(_SUFFIXES.sub(".ko", table[other][0]) for other in needed[name])
        lines.append(f"{plain}: {names}".rstrip(" "))
    target.mkdir(parents=True, exist_ok=True)
    (target / _DEP).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if (source / _BUILTIN).is_file():
        shutil.copyfile(source / _BUILTIN, target / _BUILTIN)


def _module_bytes(path: Path) -> bytes:
    """A module, decompressed: not every kernel can do that itself."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix in (".zst", ".gz"):
        tool = "zstd" if path.suffix == ".zst" else "gzip"
        return command.output_bytes([tool, "-dcq", str(path)], f"decompressing {path.name}")
    return path.read_bytes()


def pack(root: Path, target: Path, folder: Path) -> None:
    """Write a newc archive: sorted, owned by root, no times, no inode numbers."""
    names = [".", *sorted(str(path.relative_to(root)) for path in root.rglob("*"))]
    _same_times(root, names)
    listing = folder / "names"
    listing.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    command.output(
        [
            "sh",
            "-c",
            'exec cpio -o -H newc -R +0:+0 --reproducible --quiet -F "$1" < "$2"',
            "cpio",
            str(target),
            str(listing),
        ],
        "packing the initramfs",
        cwd=root,
    )
    listing.unlink()


def _same_times(root: Path, names: Iterable[str]) -> None:
    for name in names:
        path = root / name
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (_TIME, _TIME), follow_symlinks=False)
