"""Boot Debian's Linux, with the userspace of kernels/stock/init.sh, alone on a machine."""

from pathlib import Path

from tests.conftest import GUESTS
from tests.guest.booting import Run, boot

MACHINE = """
[machine]
cores = {cores}
protection = "{protection}"
until = "30s"

[kernel.linux]
image = "{guests}/{image}"
modules = ["{guests}/initramfs.cpio.gz"]
cores = {cores}
memory = "{memory}"
cmdline = "console=ttyS0 cpus={cores} {cmdline}"
expect = "{expect}"

[expect]
violations = {violations}
"""


def boot_linux(
    into: Path,
    *,
    image: str = "vmlinuz",
    cores: int = 1,
    memory: str = "160M",
    cmdline: str = "",
    expect: str = "power off",
    protection: str = "guard",
    violations: int | str = 0,
    more: str = "",
) -> Run:
    """Boot one Linux; the words for its /init are part of its command line."""
    config = into / "linux.toml"
    allowed = violations if isinstance(violations, int) else f'"{violations}"'
    config.write_text(
        MACHINE.format(
            guests=GUESTS,
            image=image,
            cores=cores,
            memory=memory,
            cmdline=cmdline,
            expect=expect,
            protection=protection,
            violations=allowed,
        )
        + more
    )
    return boot(config, into)


def sayings(console: str) -> list[str]:
    """Return what /init said, without its name, in order."""
    return [line.split("init: ", 1)[1] for line in console.splitlines() if line.startswith("init: ")]
