"""Fetch the stock kernels from Debian: `python -m kernels.stock.fetch [DIRECTORY]`, or `make guests`.

apt-get downloads and checks the packages, dpkg-deb unpacks them. Neither needs root, as apt gets package
lists of its own in DIRECTORY/apt. A file that is there already is left as it is: it can be put there by hand.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kernels.stock.cpio import archive, program

GUESTS = Path("build/guests")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to have, the package it is in, and its possible names there: all of those for an archive."""

    file: str
    package: str
    members: tuple[str, ...]
    newest: bool = False
    """The newest version on offer, where apt itself would take an older one (backports)."""


DRIVERS = (
    *(f"drivers/virtio/{name}" for name in ("virtio", "virtio_ring", "virtio_pci")),
    *(f"drivers/virtio/virtio_pci_{name}_dev" for name in ("modern", "legacy")),
    *("drivers/block/virtio_blk", "drivers/net/virtio_net", "drivers/net/net_failover", "net/core/failover"),
    *("drivers/char/hw_random/rng-core", "drivers/char/hw_random/virtio-rng", "drivers/char/virtio_console"),
    *("fs/ext4/ext4", "fs/jbd2/jbd2", "fs/mbcache", "lib/crc16", "crypto/crc32c_generic"),
)
"""Linux's own: of virtio, and of ext4. What a kernel has built in is no file, and not missed."""
MODULES = tuple(f"{usr}lib/modules/*/kernel/{name}.ko" for usr in ("", "usr/") for name in DRIVERS)

# fmt: off
WANTED = (
    Wanted("vmlinuz",           "linux-image-cloud-amd64", ("boot/vmlinuz-*",)),
    Wanted("vmlinuz-newest",    "linux-image-cloud-amd64", ("boot/vmlinuz-*",), newest=True),
    Wanted("drivers.cpio",      "linux-image-cloud-amd64", MODULES),
    Wanted("memtest86+x64.bin", "memtest86+",              ("boot/memtest86+x64.bin", "boot/mt86+x64")),
    Wanted("busybox",           "busybox-static",          ("bin/busybox", "usr/bin/busybox")),
)
# fmt: on

BACKPORTS = """Types: deb
URIs: http://deb.debian.org/debian
Suites: {release}-backports
Components: main
Signed-By: {keyring}
"""


class FetchError(Exception):
    """Why a file could not be had, and what the user can do."""


@dataclass(frozen=True, slots=True)
class Apt:
    """apt with the host's sources and backports, but with lists and a cache in a directory of ours."""

    root: Path

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Return what an apt command says on stdout; FetchError with its own words where it fails."""
        done = self._call(*command, cwd=cwd)
        if done.returncode:
            raise FetchError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
        return done.stdout

    def update(self) -> None:
        """Get the package lists. A source that cannot be reached is left out: what is missing shows later."""
        shutil.rmtree(self.root, ignore_errors=True)
        for directory in ("lists/partial", "cache/archives/partial", "sources"):
            (self.root / directory).mkdir(parents=True)
        for source in Path("/etc/apt/sources.list.d").glob("*"):
            (self.root / "sources" / source.name).symlink_to(source)
        if backports := _backports():
            (self.root / "sources" / "backports-of-mksim.sources").write_text(backports)
        self._call("apt-get", "--quiet", "update")

    def _call(self, tool: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [tool, *self._options(), *words]
        return subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True, errors="replace")

    def _options(self) -> Iterator[str]:
        settings = {
            "Dir::State": self.root,
            "Dir::Cache": self.root / "cache",
            "Dir::Etc::SourceParts": self.root / "sources",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",  # as root apt would download as _apt, who may not write here
            "Acquire::Languages": "none",
            "Acquire::Retries": 3,
        }
        return (f"--option={name}={value}" for name, value in settings.items())

    def version(self, package: str, newest: bool) -> str:
        """Return the version that apt would install, or the newest one of all sources."""
        pattern, command = (r"\| *(\S+) *\|", "madison") if newest else (r"Candidate: (\S+)", "policy")
        if found := re.search(pattern, self.run("apt-cache", command, package)):
            return found[1]
        raise FetchError(f"apt offers no {package}")

    def resolve(self, package: str, newest: bool) -> tuple[str, str]:
        """Return name and version of the package with the files: what a metapackage depends on, or itself."""
        version = self.version(package, newest)
        depends = self.run("apt-cache", "show", f"{package}={version}")
        real = re.search(r"^Depends:.*\b(linux-image-\S+) \(= (\S+)\)", depends, re.MULTILINE)
        return (real[1], real[2]) if real else (package, version)

    def download(self, package: str, version: str, into: Path) -> Path:
        """Return the package file, downloaded once; apt has checked its hash against the signed lists."""
        into.mkdir(exist_ok=True)
        if not (there := list(into.glob("*.deb"))):
            self.run("apt-get", "--quiet", "download", f"{package}={version}", cwd=into)
            there = list(into.glob("*.deb"))
        return there[0]


def _backports() -> str:
    """Return a source entry for the backports of this Debian; nothing where they are configured already."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    keyrings = sorted(Path("/usr/share/keyrings").glob("debian-archive-keyring.*"))
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    if not release or not keyrings:
        return ""
    if any(f"{release[1]}-backports" in file.read_text() for file in sources if file.is_file()):
        return ""
    return BACKPORTS.format(release=release[1], keyring=keyrings[0])


def sha256(file: Path) -> str:
    """Return a file's hash in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def unpack(package: Path, members: tuple[str, ...], to: Path) -> None:
    """Write the one member of a package that is wanted to `to`, or all that are to an archive."""
    tree = package.with_suffix("")
    subprocess.run(["dpkg-deb", "--extract", str(package), str(tree)], check=True)
    found = [file for member in members for file in tree.glob(member)]
    if not found:
        raise FetchError(f"{package.name} has no {' or '.join(members)}")
    packed = archive(program(f"lib/{file.name}", file.read_bytes()) for file in found)
    to.with_name(to.name + ".new").write_bytes(packed if to.suffix == ".cpio" else found[0].read_bytes())
    to.with_name(to.name + ".new").replace(to)


def fetch(wanted: Wanted, apt: Apt, directory: Path) -> dict[str, str]:
    """Download and unpack one file; return its entry in the manifest."""
    package, version = apt.resolve(wanted.package, wanted.newest)
    print(f"  GET {directory / wanted.file}: {package} {version}", flush=True)
    deb = apt.download(package, version, apt.root / f"{package}_{version}".replace(":", "_"))
    unpack(deb, wanted.members, directory / wanted.file)
    return {"package": package, "version": version, "sha256 of package": sha256(deb)}


def by_hand(missing: list[Wanted], directory: Path) -> str:
    """Return what to put where for somebody without apt."""
    lines = [
        f"  {directory / one.file}: {' or '.join(one.members)} of Debian's package {one.package}"
        for one in missing
    ]
    return "\n".join(["What is missing can be put there by hand; then `make guests` goes on:", *lines])


def fetch_all(directory: Path) -> None:
    """Have all wanted files in the directory and a manifest of where they are from; FetchError."""
    directory.mkdir(parents=True, exist_ok=True)
    manifest = directory / "manifest.json"
    origins = json.loads(manifest.read_text()) if manifest.exists() else {}
    missing = list(_missing(directory, origins))
    try:
        origins |= _fetch_missing(missing, directory)
    except FetchError as error:
        still = [one for one in missing if not (directory / one.file).exists()]
        raise FetchError(f"{error}\n{by_hand(still, directory)}") from None
    entries = {
        one.file: origins.get(one.file, {"package": "put there by hand"})
        | {"sha256": sha256(directory / one.file)}
        for one in WANTED
    }
    manifest.write_text(json.dumps(entries, indent=2) + "\n")


def _missing(directory: Path, origins: dict[str, dict[str, str]]) -> Iterator[Wanted]:
    """Yield what is to be fetched; with modules the kernel anew, as they fit only one."""
    alone = not (directory / "drivers.cpio").exists() and "version" in origins.get("vmlinuz", {})
    for one in WANTED:
        if not (directory / one.file).exists() or (one.file == "vmlinuz" and alone):
            yield one


def _fetch_missing(missing: list[Wanted], directory: Path) -> dict[str, dict[str, str]]:
    if absent := [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)] if missing else []:
        raise FetchError(f"{' and '.join(absent)} not found: this is not a Debian.")
    apt = Apt(directory.resolve() / "apt")
    if missing:
        print("  APT package lists", flush=True)
        apt.update()
    origins = {one.file: fetch(one, apt, directory) for one in missing}
    shutil.rmtree(apt.root, ignore_errors=True)
    return origins


if __name__ == "__main__":
    try:
        fetch_all(Path(sys.argv[1]) if len(sys.argv) > 1 else GUESTS)
    except FetchError as error:
        sys.exit(f"guests: {error}")
