"""Configs for tests: text, and the images it names, in a folder of their own."""

from pathlib import Path

from mksim.errors import ConfigError
from mksim.machine.config import Layout
from mksim.machine.reading import read_layout
from tests import images

IMAGES = {
    "movable.elf": images.movable(),
    "fixed.elf": images.pvh(base=0x1000000, size=0x10000),
    "multiboot.elf": images.multiboot_elf(base=0x100000),
    "initrd": bytes(range(256)) * 20,
    "empty": b"",
}


class Folder:
    """A folder with images, in which configs are tried."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, data in IMAGES.items():
            (path / name).write_bytes(data)

    def read(self, text: str) -> Layout:
        config = self.path / "config.toml"
        config.write_text(text)
        return read_layout(config)

    def problems(self, text: str) -> list[tuple[str, str]]:
        """Return key and text of everything that is wrong with a config."""
        try:
            self.read(text)
        except ConfigError as error:
            return [(problem.key, problem.text) for problem in error.problems]
        return []


def kernel(name: str, **keys: str) -> str:
    """Return a kernel's table; values as TOML spells them."""
    lines = {"image": '"movable.elf"', "memory": '"2M"'} | keys
    return f"[kernel.{name}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())
