"""The config's vocabulary: every table and key that a TOML file may hold, how it is read, and what it means.

A key that is absent gets its default; one that is wrong is reported and left out, so that the reading goes on
and finds what else is wrong.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mksim.errors import FileError, Problem
from mksim.machine import units, values
from mksim.machine.config import Ending, Expect, Protection, TripleFault
from mksim.machine.devices import Kind, Writes
from mksim.machine.remapping import FIRMWARE
from mksim.machine.values import (
    CORES_MAX,
    KERNELS_MAX,
    Parser,
    between,
    choice,
    distinct,
    list_of,
    one_or_list,
)
from mksim.spec.memmap import DRAM_LIMIT
from mksim.spec.pci import SLOTS
from mksim.spec.virtio_net import PAIRS_MAX

IOAPICS_MAX = 64
WINDOWS_MAX = 256
WIRES_MAX = 256
DEVICES_MAX = 256
ITEMS_MAX = 64
"""Entries of a kernel's list of spans, ports or modules."""
MEMORY_MIN = 0x200000
RATE_MIN, RATE_MAX = 1_000_000, 2_000_000_000
SEED_MAX = (1 << 63) - 1
RESTARTS_MAX = 1 << 30

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Key:
    """How the value of one key is read, what it is if absent, and what it means."""

    parse: Parser
    default: Any
    means: str


# fmt: off
_memory  = between(MEMORY_MIN, DRAM_LIMIT, units.pages, "#x")
_ids     = distinct(list_of(between(0, CORES_MAX - 1), CORES_MAX, least=1))
_rate    = between(RATE_MIN, RATE_MAX, units.frequency)
_guard   = choice({option.value: option for option in Protection})
_triple  = choice({option.value: option for option in TripleFault})
_kernels = one_or_list(units.text, KERNELS_MAX)
_modules = list_of(values.printable, ITEMS_MAX)
_ends    = distinct(list_of(values.wire_end, 2, least=2))
_kinds   = choice({option.value: option for option in Kind})
_writes  = choice({option.value: option for option in Writes})
_uarts   = distinct(one_or_list(values.uart, ITEMS_MAX))

MACHINE = {
    "memory":          Key(_memory, 256 << 20, "size of DRAM"),
    "cores":           Key(between(1, CORES_MAX), None, "how many; default: as many as the kernels ask for"),
    "apic_ids":        Key(_ids, None, "of each core, in order; default: 0, 1, 2, ..."),
    "protection":      Key(_guard, Protection.GUARD, "whether hardware stops violations"),
    "seed":            Key(between(0, SEED_MAX), 1, "draws the interleaving of cores"),
    "latency":         Key(units.duration, units.duration("1us"), "of a message between kernels"),
    "rate":            Key(_rate, 1_000_000_000, "instruction slots per second of virtual time"),
    "on_triple_fault": Key(_triple, TripleFault.KERNEL, "what it takes down"),
    "ioapics":         Key(between(0, IOAPICS_MAX), 1, "how many I/O APICs the board has"),
    "until":           Key(units.duration, None, "virtual time at which the run ends at the latest"),
}

KERNEL = {
    "image":           Key(units.text, REQUIRED, "the file to boot, relative to this config"),
    "memory":          Key(one_or_list(units.memory, ITEMS_MAX), REQUIRED, 'sizes to place ("16M"), ranges'),
    "cores":           Key(values.cores, 1, "how many, or a list of indices; the first one boots"),
    "cmdline":         Key(values.printable, "", "the kernel's command line"),
    "console":         Key(values.console, "auto", "the UART it writes to, its console"),
    "serial":          Key(_uarts, (), 'further UARTs it owns: "com2", ...'),
    "ports":           Key(one_or_list(units.ports, ITEMS_MAX), (), "further I/O ports it owns"),
    "shares":          Key(one_or_list(units.ports, ITEMS_MAX), (), "ports of others that it may touch"),
    "legacy":          Key(units.boolean, None, "owns 8259s, 8254, RTC, HPET; default: the first kernel"),
    "vga":             Key(units.boolean, None, "owns the text screen; default: who owns the legacy chips"),
    "ioapic":          Key(between(0, IOAPICS_MAX - 1), None, "the I/O APIC it owns; default: 0 if legacy"),
    "modules":         Key(_modules, (), '"file arguments", loaded with the image'),
    "expect":          Key(values.expectation, Expect(ending=Ending.EXIT, code=0), "how it is to end"),
    "restarts":        Key(between(0, RESTARTS_MAX), 0, "how often it is started again when it died"),
    "restart_after":   Key(units.duration, units.duration("1ms"), "how long after its death"),
}

WINDOW = {
    "name":            Key(values.name, REQUIRED, "what kernels know it by"),
    "memory":          Key(units.memory, REQUIRED, 'a size to place ("64K"), or a range'),
    "rights":          Key(values.by_kernel, REQUIRED, 'some of "rwx" by kernel; "*" is every other'),
    "watch":           Key(units.boolean, False, "record each access as a granted crossing"),
}

DOORBELL = {
    "from":            Key(_kernels, REQUIRED, 'who sends: a kernel, several, or "*" for every one'),
    "to":              Key(_kernels, REQUIRED, 'whose cores receive: likewise'),
    "vector":          Key(units.message, REQUIRED, 'a vector, a range of them, or "nmi", "init", "sipi"'),
}

WIRE = {
    "between":         Key(_ends, REQUIRED, 'two UARTs, each of a kernel: ["ping:com2", "pong:com1"]'),
}

DEVICE = {
    "name":            Key(values.name, REQUIRED, "for people"),
    "kind":            Key(_kinds, REQUIRED, '"edu"; "ivshmem"; of virtio: "disk", "nic", "console", "rng"'),
    "owner":           Key(units.text, REQUIRED, "the kernel it belongs to, and acts for"),
    "heir":            Key(units.text, "", "the kernel that gets it, reset, when its owner has died"),
    "slot":            Key(between(1, SLOTS - 1), None, "its device number; default: the first free one"),
    "file":            Key(units.text, None, "of a disk: its contents, relative to this config"),
    "writes":          Key(_writes, Writes.FORGOTTEN, 'to it: "forgotten", "kept" in the file, "refused"'),
    "network":         Key(values.name, None, 'of a nic: the switch that it is plugged into; default: "lan"'),
    "mac":             Key(values.mac, None, "of a nic; default: made of its name and its owner's"),
    "window":          Key(units.text, "", "of an ivshmem: the memory that it and its peers share"),
    "queues":          Key(between(1, PAIRS_MAX), None, "of a nic: pairs of them; default: 1"),
}

IOMMU = {
    "owner":           Key(units.text, FIRMWARE, 'the "firmware", "each" kernel its own unit, or a kernel'),
    "interrupt_remapping": Key(units.boolean, True, "whether it remaps interrupts too"),
}

EXPECT = {
    "violations":      Key(values.violations, 0, 'how many, or "any"'),
}

TABLES = {
    "machine": MACHINE, "kernel": KERNEL, "window": WINDOW, "doorbell": DOORBELL, "wire": WIRE,
    "device": DEVICE, "iommu": IOMMU, "expect": EXPECT,
}
# fmt: on


class Problems:
    """What is wrong with one file; it grows while the reading goes on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, key: str, text: str) -> None:
        self.found.append(Problem(self.file, key, text))

    @contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Report what a value or a file turns out to be, instead of raising it."""
        try:
            yield
        except (ValueError, FileError) as error:
            self.add(key, str(error))


def conform(table: object, schema: Mapping[str, Key], where: str, problems: Problems) -> dict[str, Any]:
    """Return a table's values by key: defaults for what is absent, nothing for what is wrong."""
    if not isinstance(table, dict):
        problems.add(where, f"is {units.shown(table)}, not a table")
        return {}
    report_unknown(table, schema, f"{where}.", problems)
    found: dict[str, Any] = {}
    for key, rule in schema.items():
        with problems.at(f"{where}.{key}"):
            found[key] = _value(table, key, rule)
    return found


def _value(table: dict[str, Any], key: str, rule: Key) -> Any:
    if key in table:
        return rule.parse(table[key])
    if rule.default is REQUIRED:
        raise ValueError(f"is missing: {rule.means}")
    return rule.default


def report_unknown(table: dict[str, Any], known: Mapping[str, Any], prefix: str, problems: Problems) -> None:
    """Report every key that the schema does not know, with the nearest one it knows."""
    for key in table:
        if key not in known:
            problems.add(f"{prefix}{units.shown(key)[1:-1]}", f"is no key here{values.nearest(key, known)}")
