# SPDX-License-Identifier: GPL-2.0
"""Debian packages, by Debian's own client, without touching this machine's.

apt runs with a configuration and lists of our own in the cache.  Where the
archive is, the machine's own sources say: no host name is written here.  Suites
that the machine does not use itself are added, if the mirror serves them.
Signatures are verified with the keys of debian-archive-keyring.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from coco import cache, command, parts
from coco.cache import Say
from coco.errors import InfrastructureError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

LOCK = "apt"

# Where Debian kernels of each line are found.
MAIN_SUITES = (
    "bookworm",
    "bookworm-updates",
    "bookworm-backports",
    "trixie",
    "trixie-updates",
    "trixie-backports",
)
SECURITY_SUITES = ("bullseye-security", "bookworm-security", "trixie-security")

# A Debian archive, as opposed to other repositories, has suites of these names.
_CODENAME = re.compile(
    r"(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)"
    r"(-updates|-backports|-proposed-updates|-security|/updates)?"
)
_C_LOCALE = {**os.environ, "LC_ALL": "C"}
_INRELEASE = re.compile(r"'(\S+?)/dists/(\S+?)/(?:In)?Release' ")


@dataclass(frozen=True)
class Package:
    """One version of one package in the index."""

    name: str
    version: str
    suite: str
    filename: str  # below the base address
    size: int
    sha256: str
    depends: str

    @property
    def requirements(self) -> list[tuple[str, str]]:
        """(name, exact version or "") of each dependency's first alternative."""
        found = []
        for word in self.depends.split(","):
            match = re.match(r"\s*([a-z0-9.+-]+)(?::\w+)?\s*(?:\(= ([^)]+)\))?", word)
            if match:
                found.append((match[1], match[2] or ""))
        return found


class Client:
    """apt with a configuration of our own; to be used under the lock LOCK."""

    def __init__(self, say: Say = cache.quiet) -> None:
        self.say = say
        self.folder = cache.folder("apt")
        self.log = self.folder / "apt.log"
        self.config = self.folder / "apt.conf"

    def update(self) -> list[str]:
        """Read the mirror's index anew; returns notes on suites that it does not serve."""
        self._write_configuration(self._mirrors())
        return self._update_suites()

    def packages(self, pattern: str) -> list[Package]:
        """All versions of all packages whose whole name matches pattern."""
        wanted = re.compile(rf"^Package: (?:{pattern})$", re.MULTILINE)
        found = []
        for suite, path in self._lists():
            text = command.output(
                ["/usr/lib/apt/apt-helper", "cat-file", str(path)], "reading the package index"
            )
            for match in wanted.finditer(text):
                end = text.find("\n\n", match.start())
                found.append(_package(text[match.start() : end if end > 0 else None], suite))
        return found

    def download(self, packages: Sequence[Package], folder: Path) -> list[Package]:
        """Get packages into folder, verified; returns those that the mirror lost (404)."""
        size = max(sum(package.size for package in packages) >> 20, 1)
        self.say(f"downloading {len(packages)} packages, {size} MiB")
        names = [f"{package.name}={package.version}" for package in packages]
        log = folder / "download.log"
        try:
            command.run(
                [*self._apt_get(), "download", *names],
                log,
                "the download",
                cwd=folder,
                env=_C_LOCALE,
            )
        except command.CommandFailed as error:
            text = log.read_text(encoding="utf-8", errors="replace")
            lost = re.findall(r"^E: Failed to fetch \S+/(\S+?)_\S+\s+404", text, re.MULTILINE)
            gone = [package for package in packages if package.name in map(unquote, lost)]
            if lost:
                return gone or [packages[0]]
            raise InfrastructureError(
                f"the download failed\n{_apt_errors(text)}",
                f"is the network up?  then run `{parts.program()} fetch` again",
            ) from error
        for package in packages:
            self._verify(package, folder)
        return []

    def _verify(self, package: Package, folder: Path) -> None:
        """apt has checked it against the signed index already; a second look is cheap."""
        with open(deb(package, folder), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != package.sha256:
            raise InfrastructureError(
                f"{package.name} {package.version}: sha256 is {digest}, "
                f"the signed index says {package.sha256}",
                f"run `{parts.program()} fetch` again; if it stays so, the mirror is damaged",
            )

    def _mirrors(self) -> tuple[list[str], list[str]]:
        """Base addresses of (main, security) archives in the machine's apt sources."""
        text = command.output(
            ["apt-get", "update", "--print-uris", "-o", "Debug::NoLocking=true"],
            "reading the machine's apt sources",
        )
        main: list[str] = []
        security: list[str] = []
        for base, suite in _INRELEASE.findall(text):
            match = _CODENAME.fullmatch(suite)
            if not match:
                continue
            chosen = security if match[2] in ("-security", "/updates") else main
            if base not in chosen:
                chosen.append(base)
        if not main:
            raise InfrastructureError(
                "this machine's apt sources name no Debian archive",
                "add one to /etc/apt/sources.list, or give a kernel of yours: "
                "KERNEL=<vmlinuz>, KDIR=<tree>",
            )
        return main, security or _guess_security(main)

    def _write_configuration(self, mirrors: tuple[list[str], list[str]]) -> None:
        if not KEYRING.exists():
            raise InfrastructureError(
                f"{KEYRING} is missing: signatures cannot be verified",
                "install debian-archive-keyring",
            )
        for name in ("lists/partial", "archives/partial", "sources", "empty"):
            with cache.disk_errors(self.folder):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        for old in (self.folder / "sources").glob("*.sources"):
            old.unlink()
        main, security = mirrors
        pairs = [(base, suite) for base in main for suite in MAIN_SUITES]
        pairs += [(base, suite) for base in security for suite in SECURITY_SUITES]
        stanzas = [
            f"Types: deb\nURIs: {base}\nSuites: {suite}\nComponents: main\n"
            f"Architectures: amd64\nSigned-By: {KEYRING}\n"
            for base, suite in pairs
        ]
        cache.write(self.folder / "sources" / "coco.sources", "\n".join(stanzas))
        folder = self.folder
        cache.write(
            self.config,
            "\n".join(
                f'{name} "{value}";'
                for name, value in (
                    ("Dir::Etc::sourcelist", "/dev/null"),
                    ("Dir::Etc::sourceparts", f"{folder}/sources"),
                    ("Dir::Etc::preferences", "/dev/null"),
                    ("Dir::Etc::preferencesparts", f"{folder}/empty"),
                    ("Dir::State::lists", f"{folder}/lists"),
                    ("Dir::State::status", f"{folder}/status"),
                    ("Dir::Cache", str(folder)),
                    ("Dir::Cache::archives", f"{folder}/archives"),
                    ("Dir::Cache::pkgcache", f"{folder}/pkgcache.bin"),
                    ("Dir::Cache::srcpkgcache", ""),
                    ("APT::Architecture", "amd64"),
                    ("APT::Sandbox::User", "root"),
                    ("Acquire::Languages", "none"),
                    ("Acquire::Retries", "2"),
                    ("Acquire::http::Timeout", "30"),
                    ("APT::Get::List-Cleanup", "true"),
                )
            )
            + "\n"
            # Hooks of the machine's own apt are none of ours, and would need root.
            + "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n"
            + "#clear APT::Update::Post-Invoke-Success;\n#clear DPkg::Post-Invoke;\n",
        )
        cache.write(self.folder / "status", "")

    def _update_suites(self) -> list[str]:
        self.say("reading the package index")
        before = set(self._lists())
        try:
            command.run(
                [*self._apt_get(), "update", "--error-on=any"],
                self.log,
                "apt-get update",
                env=_C_LOCALE,
            )
            return []
        except command.CommandFailed:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        missing = set(re.findall(r"/dists/(\S+?)/(?:In)?Release\s+404", text))
        missing |= set(re.findall(r"The repository '\S+ (\S+) Release' does not have", text))
        served = re.findall(r"^(?:Get|Hit):\d+ \S+ (\S+) InRelease", text, re.MULTILINE)
        served = [suite for suite in served if suite not in missing]
        if not served:
            kept = ", and nothing was ever fetched" if not before else ""
            raise InfrastructureError(
                f"the Debian mirror cannot be reached{kept}\n{_apt_errors(text)}",
                "is the network up?",
            )
        notes = [f"the mirror does not serve {suite}: skipped" for suite in sorted(missing)]
        for suite in sorted({*MAIN_SUITES, *SECURITY_SUITES} - missing - set(served)):
            notes.append(f"the mirror's {suite} could not be read: skipped (see {self.log})")
        return notes

    def _lists(self) -> list[tuple[str, Path]]:
        """(suite, index file) of each suite that was read."""
        found = []
        for path in sorted((self.folder / "lists").glob("*_main_binary-amd64_Packages*")):
            match = re.search(r"_dists_(\S+?)_main_binary-amd64_Packages", path.name)
            if match:
                found.append((match[1], path))
        return found

    def _apt_get(self) -> list[str]:
        """The machine's own settings first (proxies, credentials), then ours."""
        return ["apt-get", "-c", str(self.config)]


def deb(package: Package, folder: Path) -> Path:
    """The file that download() made of a package."""
    found = next(folder.glob(f"{package.name}_*.deb"), None)
    if found is None:
        raise InfrastructureError(f"apt-get downloaded no {package.name} {package.version}")
    return found


def _package(block: str, suite: str) -> Package:
    fields = dict(
        line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " "
    )
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        suite=suite,
        filename=fields["Filename"],
        size=int(fields["Size"]),
        sha256=fields["SHA256"],
        depends=fields.get("Depends", ""),
    )


def _guess_security(main: Sequence[str]) -> list[str]:
    """Mirrors hold the security archive beside the main one, as <name>-security."""
    return [base.rstrip("/") + "-security" for base in main]


def _apt_errors(text: str) -> str:
    lines = re.findall(r"^(?:E|W|Err:\d+): ?.*", text, re.MULTILINE)
    return "\n".join("  " + line for line in lines[:4])
