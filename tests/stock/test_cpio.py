import gzip
import struct
from itertools import takewhile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kernels.stock.cpio import END, Entry, archive, device, directory, link, program
from kernels.stock.initramfs import INIT, entries, main

# fmt: off
FIELDS = (
    "ino", "mode", "uid", "gid", "nlink", "mtime", "size",
    "major", "minor", "rmajor", "rminor", "namesize", "check",
)
# fmt: on


def members(packed: bytes) -> list[tuple[str, dict[str, int], bytes]]:
    """Read an archive as buffer-format.rst tells it: name, header fields, contents of each member."""
    found, at = [], 0
    while at < len(packed):
        magic, *fields = struct.unpack_from("6s" + "8s" * 13, packed, at)
        assert magic == b"070701"
        header = {name: int(field, 16) for name, field in zip(FIELDS, fields, strict=True)}
        name = packed[at + 110 : at + 110 + header["namesize"] - 1].decode()
        at += -(-(110 + header["namesize"]) // 4) * 4
        found.append((name, header, packed[at : at + header["size"]]))
        at += -(-header["size"] // 4) * 4
    return found


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
files = st.builds(Entry, path=texts, mode=st.integers(0, 0xFFFF), contents=st.binary(max_size=50))


@given(st.lists(files, max_size=5))
def test_what_goes_in_comes_out(drawn: list[Entry]) -> None:
    *found, end = members(archive(drawn))
    assert [(name, header["mode"], contents) for name, header, contents in found] == [
        (entry.path, entry.mode, entry.contents) for entry in drawn
    ]
    assert (end[0], end[2]) == (END, b"")


@given(st.lists(files, max_size=5))
def test_nothing_of_the_host_goes_in(drawn: list[Entry]) -> None:
    headers = [header for _, header, _ in members(archive(drawn))]
    assert [header["ino"] for header in headers] == list(range(1, len(drawn) + 2))
    assert {header[name] for header in headers for name in ("uid", "gid", "mtime", "check")} == {0}


def test_kinds_of_files() -> None:
    packed = archive(
        [directory("dev"), device("dev/ttyS1", 4, 65), program("init", b"#!"), link("sh", "init")]
    )
    kinds = {
        name: (header["mode"], header["rmajor"], header["rminor"]) for name, header, _ in members(packed)
    }
    assert kinds["dev"] == (0o040755, 0, 0)
    assert kinds["dev/ttyS1"] == (0o020600, 4, 65)
    assert kinds["init"] == (0o100755, 0, 0)
    assert kinds["sh"] == (0o120777, 0, 0)


def test_a_directory_comes_before_what_is_in_it() -> None:
    names = [entry.path for entry in entries(b"", b"")]
    for at, name in enumerate(names):
        parents = takewhile(lambda parent: parent != Path("."), Path(name).parents)
        assert all(str(parent) in names[:at] for parent in parents), name


def test_the_same_userspace_every_time(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"not really")
    modules = tmp_path / "drivers.cpio"
    modules.write_bytes(archive([program("lib/virtio.ko", b"a driver")]))
    for name in ("once", "twice"):
        main(busybox, modules, tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes()
    contents = {name: data for name, _, data in members(gzip.decompress((tmp_path / "once").read_bytes()))}
    assert contents["bin/busybox"] == b"not really"
    assert contents["init"] == INIT.read_bytes()
