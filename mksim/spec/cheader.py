"""Turns the structures and constants of spec/ into C, so that firmware and kernels cannot drift from Python.

`python -m mksim.spec.cheader NAME` prints the header of spec/NAME.py: every upper-case integer becomes a
`#define`, every entry of its `STRUCTS` a struct whose size and offsets the C compiler checks. Assembly may
include it too: it sees constants and the structs' offsets.
"""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np

Structs: TypeAlias = Mapping[str, tuple[np.dtype, str]]
"""C name of each structure, its layout, and who reads it."""

C_TYPES = {
    "|u1": "uint8_t",
    "<u2": "uint16_t",
    "<u4": "uint32_t",
    "<u8": "uint64_t",
    "|i1": "int8_t",
    "<i2": "int16_t",
    "<i4": "int32_t",
    "<i8": "int64_t",
}


def member(name: str, dtype: np.dtype, structs: Structs) -> str:
    """Return the C declaration of one member."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return member(name + "".join(f"[{length}]" for length in shape), base, structs)
    if dtype.kind == "S":
        return f"char {name}[{dtype.itemsize}]"
    if dtype.names:
        return f"struct {next(c for c, (known, _) in structs.items() if known == dtype)} {name}"
    return f"{C_TYPES[dtype.str]} {name}"


def fields(dtype: np.dtype) -> Iterator[tuple[str, np.dtype, int]]:
    """Yield name, type and offset of each field."""
    for name, (kind, offset, *_) in (dtype.fields or {}).items():
        yield name, kind, offset


def struct(name: str, structs: Structs) -> Iterator[str]:
    """Yield the lines of one struct and of the assertions that hold C to the same layout."""
    dtype, comment = structs[name]
    yield f"/* {comment} */"
    yield f"struct {name} {{"
    yield from (f"\t{member(field, kind, structs)};" for field, kind, _ in fields(dtype))
    yield "} __attribute__((packed));"
    yield f'_Static_assert(sizeof(struct {name}) == {dtype.itemsize}, "{name}");'
    for field, _, _ in fields(dtype):
        offset = offset_name(name, field)
        yield f'_Static_assert(__builtin_offsetof(struct {name}, {field}) == {offset}, "{name}.{field}");'
    yield ""


def offset_name(name: str, field: str) -> str:
    """Return what assembly calls the offset of a field."""
    return f"OFFSETOF_{name}_{field}".upper()


def offsets(structs: Structs) -> Iterator[str]:
    """Yield one `#define` per struct and field, for assembly, which knows no structs."""
    for name, (dtype, _) in structs.items():
        yield f"#define SIZEOF_{name.upper()} {dtype.itemsize}"
        for field, _, offset in fields(dtype):
            yield f"#define {offset_name(name, field)} {offset}"


def constants(module: ModuleType) -> Iterator[str]:
    """Yield one `#define` per upper-case integer (or tuple of them, numbered) of the module."""
    for name, value in vars(module).items():
        for suffix, number in numbered(value) if name.isupper() else ():
            yield f"#define {name}{suffix} {number:#x}{'ull' if number >> 32 else ''}"


def numbered(value: object) -> Iterator[tuple[str, int]]:
    """Yield (suffix, integer) of a constant; the suffix of a tuple's members counts from 1."""
    if isinstance(value, int):
        yield "", value
    elif isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        yield from ((str(index + 1), item) for index, item in enumerate(value))


def header(module: ModuleType) -> str:
    """Return the C header of a spec module."""
    structs: Structs = getattr(module, "STRUCTS", {})
    source = Path(module.__file__ or "").name
    lines = [f"/* Generated from mksim/spec/{source}, which says what each field means. */", "#pragma once"]
    lines += ["", *constants(module), "", *offsets(structs), ""]
    lines += ["#ifndef __ASSEMBLER__", "#include <stdint.h>", ""]
    for name in structs:
        lines += struct(name, structs)
    lines += ["#endif"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(header(import_module(f"mksim.spec.{sys.argv[1]}")))
