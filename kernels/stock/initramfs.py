"""Build the userspace of the stock Linux: busybox, our /init, a few devices.

`python -m kernels.stock.initramfs BUSYBOX MODULES ARCHIVE`; the archive is a gzipped cpio, the same bytes
every time. MODULES is a cpio too, of Linux's drivers: Linux unpacks both, one after the other.
"""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

from kernels.stock.cpio import Entry, archive, device, directory, link, program

INIT = Path(__file__).with_name("init.sh")

# Linux, Documentation/admin-guide/devices.txt
DEVICES = {
    "console": (5, 1),
    "null": (1, 3),
    "urandom": (1, 9),
    "hwrng": (10, 183),
    "hvc0": (229, 0),
    "mem": (1, 1),
    "kmsg": (1, 11),
    **{f"ttyS{port}": (4, 64 + port) for port in range(4)},
}


def entries(busybox: bytes, init: bytes) -> Iterator[Entry]:
    """Yield the files of the userspace. Debian's busybox finds its commands in itself, without links."""
    yield from (directory(path) for path in ("bin", "dev", "lib", "mnt", "proc", "sys", "tmp"))
    yield from (device(f"dev/{name}", *number) for name, number in DEVICES.items())
    yield program("bin/busybox", busybox)
    yield link("bin/sh", "busybox")
    yield program("init", init)


def main(busybox: Path, modules: Path, to: Path) -> None:
    """Write the archive."""
    userspace = archive(entries(busybox.read_bytes(), INIT.read_bytes()))
    packed = gzip.compress(userspace + modules.read_bytes(), mtime=0)
    to.write_bytes(packed)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
