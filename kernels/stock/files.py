"""Make a disk with an ext4 of files and their sums: `python -m kernels.stock.files IMAGE`.

The files are the same every time; the times in their inodes are not. Where there is no mke2fs (Debian's
package e2fsprogs) there will be no image.
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

SIZE = "16M"
FILES = 24
LARGEST = 500_000
UUID = "6d6b7369-6d00-4000-8000-000000000000"
EPOCH = 1_767_225_600
"""2026-01-01, when machines start."""


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file: small ones, and some of many blocks."""
    dice = random.Random(1)
    for number in range(FILES):
        yield f"file{number}", dice.randbytes(dice.choice([0, 1, 4096, dice.randrange(LARGEST)]))


def write(folder: Path) -> None:
    """Write the files, and their sums as sha256sum has them."""
    sums = ""
    for name, data in contents():
        (folder / name).write_bytes(data)
        sums += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
    (folder / "sums").write_text(sums)
    for file in (*folder.iterdir(), folder):
        os.utime(file, (EPOCH, EPOCH))


def make(tool: str, image: Path) -> None:
    """Write the image; what mke2fs says where it fails goes to stderr."""
    image.unlink(missing_ok=True)
    options = ["-q", "-F", "-t", "ext4", "-U", UUID, "-E", f"hash_seed={UUID},root_owner=0:0", "-d"]
    with TemporaryDirectory() as folder:
        write(Path(folder))
        environment = os.environ | {"E2FSPROGS_FAKE_TIME": str(EPOCH)}
        command = [tool, *options, folder, str(image), SIZE]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if found := shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin"):
        make(found, Path(sys.argv[1]))
    else:
        print("guests: no mke2fs (Debian's package e2fsprogs), so no disk with an ext4")
