"""The ROM's 32-bit code on a bare CPU: RAM, ports that are noted, and nothing of mksim's own machine.

So the firmware is judged by itself, and the table can be any bytes. Left out: the 16-bit code before
`flat`, and interrupt controllers, whose registers are RAM here.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from unicorn import UC_ARCH_X86, UC_HOOK_BLOCK, UC_HOOK_INSN, UC_HOOK_MEM_WRITE, UC_MODE_32, UC_PROT_ALL, Uc
from unicorn import x86_const as x86

from mksim.spec import memmap
from mksim.spec.partition import NOBODY

BUILD = Path(__file__).parents[2] / "build/firmware"
INSTRUCTIONS_MAX = 50_000_000
PAINT = 0xA5
"""Fills memory beforehand, so that what was never written shows."""
ICR_LOW, ICR_HIGH = 0x300, 0x310


@cache
def symbols() -> dict[str, int]:
    with (BUILD / "rom.elf").open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}


@cache
def rom() -> bytes:
    return (BUILD / "rom.bin").read_bytes()


@dataclass(kw_only=True)
class Outcome:
    """What a core did in the ROM."""

    console: str
    posts: list[int]
    handed_off: int | None
    """The kernel, or NOBODY if the core parked; None if it stopped."""
    entry: int | None
    registers: dict[str, int]
    """At the entry."""
    started: list[tuple[int, int]]
    """(APIC ID, ICR low) of each message sent."""
    before: np.ndarray
    memory: np.ndarray

    def written(self) -> np.ndarray:
        """Return the addresses of all DRAM bytes that changed."""
        return np.flatnonzero(self.before != self.memory)


class BareCpu:
    """One core with this APIC ID, about to run the ROM."""

    def __init__(self, table: bytes, apic_id: int, memory: np.ndarray) -> None:
        self.uc = Uc(UC_ARCH_X86, UC_MODE_32)
        self.apic_id = apic_id
        self.memory = memory
        self.memory[memmap.ROM_ALIAS : memmap.HIGH_DRAM] = np.frombuffer(rom(), np.uint8)
        start = memmap.PARTITION_TABLE
        self.memory[start : start + memmap.PARTITION_TABLE_SIZE] = 0
        self.memory[start : start + len(table)] = np.frombuffer(table, np.uint8)
        self.console, self.posts, self.started = bytearray(), [], []
        self.handed_off: int | None = None
        self.entry: int | None = None
        self._wire()

    def run(self, bsp: bool) -> Outcome:
        before = self.memory.copy()
        self.uc.reg_write(x86.UC_X86_REG_EDI, int(bsp))
        self.uc.emu_start(symbols()["flat"], 0, count=INSTRUCTIONS_MAX)
        names = ("EAX", "EBX", "ECX", "EDX", "ESI", "ESP", "EFLAGS", "CS", "DS", "ES", "SS", "CR0")
        return Outcome(
            console=self.console.decode(),
            posts=self.posts,
            handed_off=self.handed_off,
            entry=self.entry,
            registers={name: self.uc.reg_read(getattr(x86, f"UC_X86_REG_{name}")) for name in names},
            started=self.started,
            before=before,
            memory=self.memory,
        )

    def _wire(self) -> None:
        self.uc.mem_map_ptr(0, len(self.memory), UC_PROT_ALL, self.memory.ctypes.data)
        self.uc.mem_map(memmap.IOAPIC, 0x10000)
        self.uc.mem_map(memmap.LAPIC, 0x1000)
        self.uc.reg_write(x86.UC_X86_REG_GDTR, (0, symbols()["gdt"], 31, 0))
        self.uc.hook_add(UC_HOOK_INSN, self._out, None, 1, 0, x86.UC_X86_INS_OUT)
        self.uc.hook_add(UC_HOOK_INSN, self._cpuid, None, 1, 0, x86.UC_X86_INS_CPUID)
        self.uc.hook_add(UC_HOOK_BLOCK, self._block)
        self.uc.hook_add(UC_HOOK_MEM_WRITE, self._icr, None, memmap.LAPIC + ICR_LOW, memmap.LAPIC + ICR_HIGH)

    def _out(self, _uc: Uc, port: int, _size: int, value: int, _data: object) -> None:
        if port == memmap.PORT_DEBUG_CONSOLE:
            self.console.append(value & 0xFF)
        elif port == memmap.PORT_POST:
            self.posts.append(value & 0xFF)
        elif port == memmap.PORT_HAND_OFF:
            self.handed_off = value
            # From here on the stack is out of reach.
            self.uc.mem_protect(memmap.FIRMWARE_RAM, memmap.LOW_DRAM_END - memmap.FIRMWARE_RAM, 0)

    def _cpuid(self, uc: Uc, _data: object) -> int:
        leaf = uc.reg_read(x86.UC_X86_REG_EAX)
        answer = {0: (0xB, 0, 0, 0), 1: (0, (self.apic_id & 0xFF) << 24, 0, 0), 0xB: (0, 1, 0, self.apic_id)}
        for name, value in zip(("EAX", "EBX", "ECX", "EDX"), answer.get(leaf, (0,) * 4), strict=True):
            uc.reg_write(getattr(x86, f"UC_X86_REG_{name}"), value)
        return 1

    def _block(self, uc: Uc, address: int, _size: int, _data: object) -> None:
        if not memmap.ROM_ALIAS <= address < memmap.HIGH_DRAM:
            self.entry = address
            uc.emu_stop()

    def _icr(self, uc: Uc, _access: int, address: int, _size: int, value: int, _data: object) -> None:
        if address == memmap.LAPIC + ICR_LOW:
            high = int.from_bytes(uc.mem_read(memmap.LAPIC + ICR_HIGH, 4), "little")
            self.started.append((high >> 24, value))


def enter(
    table: bytes, apic_id: int, *, bsp: bool = False, dram: int = 16 << 20, memory: np.ndarray | None = None
) -> Outcome:
    """Let one core run the ROM until it leaves it or stops; `memory` is what a core before it left behind."""
    before = np.full(dram, PAINT, np.uint8) if memory is None else memory.copy()
    return BareCpu(table, apic_id, before).run(bsp)


def parked(outcome: Outcome) -> bool:
    return outcome.handed_off == NOBODY
