"""A core's registers as gdb knows them: target.xml, and where each comes from.

The first features are gdb's own, in its order (GDB manual, G.5.16); the last one is ours. In real mode and in
16-bit segments gdb must find the code at RIP, so there `rip` is a linear address.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mksim.engine.cpustate import CC_OP_EFLAGS, CONDITION_CODES, DF, ENV_SIZE, HF_CS64

_GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *(f"r{n}" for n in range(8, 16)))
_NUMBERS = {"rax": 0, "rcx": 1, "rdx": 2, "rbx": 3, "rsp": 4, "rbp": 5, "rsi": 6, "rdi": 7}
_SEGMENTS = ("cs", "ss", "ds", "es", "fs", "gs")
_X87 = ("fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop")
_XMM_AT, _XMM_STRIDE, _MXCSR_AT, _FCTRL_AT = 824, 64, 816, 610
"""In QEMU 5.0.1's CPUX86State."""
_SYSTEM = {"cr0": 0, "cr2": 2, "cr3": 3, "cr4": 4}
_TABLES = ("gdt", "idt", "ldt", "tr")


@dataclass(frozen=True, slots=True)
class Register:
    """One register of target.xml."""

    name: str
    bits: int
    kind: str

    @property
    def size(self) -> int:
        return self.bits // 8


def _core() -> list[Register]:
    kinds = {"rbp": "data_ptr", "rsp": "data_ptr"}
    rows = [Register(name, 64, kinds.get(name, "int64")) for name in _GENERAL]
    rows += [Register("rip", 64, "code_ptr"), Register("eflags", 32, "i386_eflags")]
    rows += [Register(name, 32, "int32") for name in _SEGMENTS]
    rows += [Register(f"st{number}", 80, "i387_ext") for number in range(8)]
    return rows + [Register(name, 32, "int") for name in _X87]


FEATURES = {
    "org.gnu.gdb.i386.core": _core(),
    "org.gnu.gdb.i386.sse": [
        *(Register(f"xmm{number}", 128, "vec128") for number in range(16)),
        Register("mxcsr", 32, "i386_mxcsr"),
    ],
    "org.mksim.code": [Register("cs_base", 64, "int64")],
    "org.gnu.gdb.i386.segments": [Register("fs_base", 64, "int64"), Register("gs_base", 64, "int64")],
    "org.mksim.system": [
        *(Register(name, 64, "int64") for name in (*_SYSTEM, "cr8", "efer", "k_gs_base")),
        *(Register(f"{name}_base", 64, "int64") for name in _TABLES),
        *(Register(f"{name}_limit", 32, "int32") for name in _TABLES),
        Register("apic_base", 64, "int64"),
    ],
}
REGISTERS = [register for rows in FEATURES.values() for register in rows]
"""In the order of their numbers."""
BASIC = [register for name in list(FEATURES)[:2] for register in FEATURES[name]]
"""What `g` returns. gdb asks only once for target.xml, and takes other inferiors' registers for Linux's.

It asks for the rest one by one, by numbers that are right only where it has been told to ask again; but those
of fs_base and gs_base are as for Linux."""

_FLAG_BITS = {
    "CF": 0, "PF": 2, "AF": 4, "ZF": 6, "SF": 7, "TF": 8, "IF": 9, "DF": 10, "OF": 11, "NT": 14, "RF": 16,
    "VM": 17, "AC": 18, "VIF": 19, "VIP": 20, "ID": 21,
}  # fmt: skip
_MXCSR_BITS = {
    "IE": 0, "DE": 1, "ZE": 2, "OE": 3, "UE": 4, "PE": 5, "DAZ": 6, "IM": 7, "DM": 8, "ZM": 9, "OM": 10,
    "UM": 11, "PM": 12, "FZ": 15,
}  # fmt: skip
_VECTORS = {
    "v4_float": ("ieee_single", 4), "v2_double": ("ieee_double", 2), "v16_int8": ("int8", 16),
    "v8_int16": ("int16", 8), "v4_int32": ("int32", 4), "v2_int64": ("int64", 2),
}  # fmt: skip


def _flags(name: str, bits: dict[str, int]) -> str:
    fields = "".join(f'<field name="{bit}" start="{at}" end="{at}"/>' for bit, at in bits.items())
    return f'<flags id="{name}" size="4">{fields}</flags>'


def _vectors() -> str:
    types = "".join(
        f'<vector id="{name}" type="{kind}" count="{count}"/>' for name, (kind, count) in _VECTORS.items()
    )
    fields = "".join(f'<field name="{name}" type="{name}"/>' for name in _VECTORS)
    return f'{types}<union id="vec128">{fields}<field name="uint128" type="uint128"/></union>'


def target_xml() -> bytes:
    """Return the description that gdb asks for by qXfer:features:read:target.xml."""
    types = {
        "org.gnu.gdb.i386.core": _flags("i386_eflags", _FLAG_BITS),
        "org.gnu.gdb.i386.sse": _vectors() + _flags("i386_mxcsr", _MXCSR_BITS),
    }
    parts = ['<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0">']
    parts.append("<architecture>i386:x86-64</architecture>")
    for feature, rows in FEATURES.items():
        parts.append(f'<feature name="{feature}">{types.get(feature, "")}')
        parts += [f'<reg name="{row.name}" bitsize="{row.bits}" type="{row.kind}"/>' for row in rows]
        parts.append("</feature>")
    return "".join([*parts, "</target>"]).encode()


class Registers:
    """The registers of one core that stands still: `env` is its ENV, of shape (1,), in place."""

    def __init__(self, env: np.ndarray, core: Any, flags: int) -> None:
        self._env, self._core, self._flags = env, core, flags
        self._raw = env.view(np.uint8).reshape(-1)
        assert len(self._raw) == ENV_SIZE

    @property
    def rip(self) -> int:
        """Where the next instruction is, as a linear address."""
        return (self._field("eip") + self._field("cs_base")) & self._mask

    @property
    def _mask(self) -> int:
        return (1 << 64) - 1 if self._field("hflags") & HF_CS64 else (1 << 32) - 1

    def read(self, register: Register) -> bytes | None:
        """Return a register's bytes, little-endian; None where it is not known."""
        value = self._value(register.name)
        return None if value is None else (value & (1 << register.bits) - 1).to_bytes(register.size, "little")

    def write(self, register: Register, data: bytes) -> bool:
        """Change a register; False if it cannot be changed from outside."""
        value, name, env = int.from_bytes(data, "little"), register.name, self._env[0]
        if name in _GENERAL:
            env["regs"][_number(name)] = _signed(value)
        elif name == "rip":
            env["eip"] = _signed((value - self._field("cs_base")) & self._mask)
        elif name == "eflags":
            self._write_flags(value)
        elif name in ("fs_base", "gs_base"):
            env[name] = _signed(value)
        elif name.startswith("xmm"):
            at = _XMM_AT + _XMM_STRIDE * int(name[3:])
            self._raw[at : at + 16] = np.frombuffer(data, np.uint8)
        else:
            return False
        return True

    def _write_flags(self, value: int) -> None:
        env = self._env[0]
        env["cc_src"], env["cc_op"] = value & CONDITION_CODES, CC_OP_EFLAGS
        env["df"] = -1 if value & DF else 1
        env["eflags"] = (value & ~(CONDITION_CODES | DF) & 0x3F7FD7) | 2
        self._flags = value

    def _field(self, name: str) -> int:
        return int(self._env[0][name]) & (1 << 64) - 1

    def _value(self, name: str) -> int | None:  # noqa: PLR0911 - a table of where each register is
        if name in _GENERAL:
            return int(self._env[0]["regs"][_number(name)])
        if name in ("rip", "eflags", "cr8", "apic_base"):
            return {"rip": self.rip, "eflags": self._flags}.get(name, self._of_apic(name))
        if name in _SEGMENTS:
            return self._field(f"{name}_selector")
        if name in _SYSTEM:
            return int(self._env[0]["cr"][_SYSTEM[name]])
        if name == "k_gs_base":
            return self._field("kernel_gs_base")
        if name.startswith("xmm"):
            return self._bytes(_XMM_AT + _XMM_STRIDE * int(name[3:]), 16)
        if name in ("mxcsr", "fctrl"):
            return self._bytes(_MXCSR_AT, 4) if name == "mxcsr" else self._bytes(_FCTRL_AT, 2)
        return None if name.startswith("st") or name in _X87 else self._field(name)

    def _of_apic(self, name: str) -> int:
        apic = self._core["lapic"]
        return int(apic["tpr"]) >> 4 if name == "cr8" else int(apic["base"])

    def _bytes(self, at: int, size: int) -> int:
        return int.from_bytes(self._raw[at : at + size].tobytes(), "little")


def _number(name: str) -> int:
    return _NUMBERS[name] if name in _NUMBERS else int(name[1:])


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
