"""Boot a config the way a user does, and hold what came of it."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mksim.cli import main
from mksim.machine.config import Layout
from mksim.machine.reading import read_layout

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "kernels"


@dataclass(frozen=True, slots=True)
class Run:
    """Exit code, summary, and each kernel's console as text."""

    code: int
    summary: dict[str, Any]
    console: dict[str, str]

    @property
    def reasons(self) -> dict[str, str]:
        return {name: kernel["reason"] for name, kernel in self.summary["kernels"].items()}

    @property
    def crossings(self) -> dict[tuple[str, str, str], int]:
        """How often (kernel, act, target), granted or not."""
        by = self.summary["crossings"]["by"]
        return {(one["kernel"], one["act"], one["target"]): one["count"] for one in by}

    @property
    def faults(self) -> list[dict[str, str]]:
        """What the IOMMU has refused."""
        return self.summary["iommu"]["first"]

    @property
    def violations(self) -> int:
        return self.summary["crossings"]["violations"]

    @property
    def ends(self) -> dict[str, list[dict[str, Any]]]:
        """Every end that each kernel came to: when, why, and its exit code."""
        return {name: kernel["ends"] for name, kernel in self.summary["kernels"].items()}

    @property
    def exits(self) -> dict[str, int | None]:
        return {name: kernel["exit"] for name, kernel in self.summary["kernels"].items()}


@cache
def scenario_layout(name: str) -> Layout:
    """Return the layout of a scenario's config."""
    return read_layout(ROOT / "kernels" / name / "config.toml")


def kernel_names(config: Path) -> list[str]:
    return re.findall(r"^\[kernel\.([\w-]+)\]", config.read_text(), re.MULTILINE)


def boot(config: Path, into: Path, *arguments: str) -> Run:
    """Run `mksim boot` in this process; consoles and summary go to files in `into`."""
    summary = into / "summary.json"
    consoles = {name: into / f"{name}.log" for name in kernel_names(config)}
    options = [f"--console={name}={file}" for name, file in consoles.items()]
    code = main(["boot", str(config), "--quiet", f"--summary={summary}", *options, *arguments])
    return Run(
        code=code,
        summary=json.loads(summary.read_text()),
        console={name: file.read_text(errors="replace") for name, file in consoles.items()},
    )


def boot_scenario(name: str, into: Path, *arguments: str, config: str = "config.toml") -> Run:
    return boot(ROOT / "kernels" / name / config, into, *arguments)


def boot_variant(
    name: str, into: Path, old: str, new: str, *arguments: str, config: str = "config.toml"
) -> Run:
    """Boot a scenario with a piece of its config's text replaced."""
    text = (ROOT / "kernels" / name / config).read_text()
    assert old in text
    variant = into / "variant.toml"
    variant.write_text(text.replace(old, new).replace("../../build/", f"{ROOT / 'build'}/"))
    return boot(variant, into, *arguments)


DEVICE = """
[[device]]
name = "tested"
owner = "claim"
"""


def boot_claim(
    name: str,
    into: Path,
    *,
    cores: int = 1,
    cmdline: str = "",
    memory: str = "4M",
    expect: str = "exit 0",
    until: str = "1s",
    machine: str = "",
    device: str = "",
    tables: str = "",
) -> Run:
    """Boot one of the tiny kernels alone on a machine of these keys, with a device of those, and tables."""
    config = into / "claim.toml"
    config.write_text(
        f"""
[machine]
memory = "16M"
cores = {cores}
until = "{until}"
{machine}

[kernel.claim]
image = "{BUILT / "tests" / name}.elf"
cores = {cores}
memory = ["{memory}"]
cmdline = "{cmdline}"
expect = "{expect}"
{device and DEVICE + device}
{tables}
"""
    )
    return boot(config, into)
