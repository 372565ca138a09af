"""Real gdb on a stock Linux, by the symbols that it has of itself: across an IPI from one core to another."""

import re
from pathlib import Path

import pytest

import mksim
from tests.conftest import GUESTS, needs, needs_guest
from tests.debug.gdb import debug

SENDER = "native_send_call_func_single_ipi"
CONFIG = f"""
[machine]
cores = 2
[kernel.linux]
image = "{GUESTS}/vmlinuz"
modules = ["{GUESTS}/initramfs.cpio.gz"]
cores = 2
memory = "160M"
cmdline = "console=ttyS0 cpus=2 nokaslr"
expect = "any"
"""


@pytest.mark.slow
@needs("gdb")
@needs_guest("vmlinuz", "initramfs.cpio.gz")
def test_from_the_sender_of_an_ipi_to_the_handler_in_another_core(tmp_path: Path) -> None:
    config = tmp_path / "linux.toml"
    config.write_text(CONFIG)
    before = mksim.Machine(config)
    before.expect("Freeing unused kernel", within="10s")
    sender = before.symbol("linux", SENDER)
    done = debug(
        config, tmp_path,
        [f"hbreak *{sender:#x}", "continue", "linux-symbols linux", "info symbol $rip",
         "bt 2", "delete", "step-ipi", "info symbol $rip", "bt 2", "break default_idle", "continue", "kill"],
    )  # fmt: skip
    assert "hit Breakpoint 1" in done[1]
    assert done[3].startswith(f"{SENDER} in section .text")
    assert re.search(rf"#0 .* {SENDER} \(\)\n#1 ", done[4])
    assert done[7].startswith("asm_sysvec_call_function_single in section .text")
    assert "native_safe_halt" in done[8]
    assert "default_idle ()" in done[10]
