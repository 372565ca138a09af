"""Python, C and assembly agree on every structure of spec/."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from mksim.spec.cheader import fields, header

MODULES = ("acpi", "handoff", "memmap", "partition")


@pytest.mark.parametrize("target", ["x86", "x86_64"])
def test_compiler_accepts_all_layouts(tmp_path: Path, target: str) -> None:
    for name in MODULES:
        (tmp_path / f"{name}.h").write_text(header(import_module(f"mksim.spec.{name}")))
    source = tmp_path / "all.c"
    source.write_text("".join(f'#include "{name}.h"\n' for name in MODULES))
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", f"{target}-freestanding-none"]
    subprocess.run(
        [*compiler, "-Wall", "-Wextra", "-Werror", "-c", source, "-o", tmp_path / "o"], check=True, timeout=60
    )


def test_assembler_sees_constants_only(tmp_path: Path) -> None:
    source = tmp_path / "all.S"
    text = header(import_module("mksim.spec.partition"))
    source.write_text(text + "\nmov $OFFSETOF_MKPT_NAME, %eax\nmov $SIZEOF_PARTITION_CORE, %ebx\n")
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "x86-freestanding-none"]
    subprocess.run([*compiler, "-c", source, "-o", tmp_path / "all.o"], check=True, timeout=60)


def test_defines_are_unique() -> None:
    names = [
        line.split()[1]
        for module in MODULES
        for line in header(import_module(f"mksim.spec.{module}")).splitlines()
        if line.startswith("#define")
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["mkpt", "mkpt_window", "mkpt_doorbell"])
def test_what_kernels_read_is_naturally_aligned(name: str) -> None:
    layout, _ = import_module("mksim.spec.partition").STRUCTS[name]
    assert layout.itemsize % 8 == 0
    for _, kind, offset in fields(layout):
        scalar = kind.base if kind.names is None else np.dtype("<u4")
        assert scalar.kind == "S" or offset % scalar.itemsize == 0
