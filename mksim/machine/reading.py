"""From a TOML file to a layout. All that is wrong with it is told at once: no step stops at a problem.

The steps, each in a module of its own:
    document    the file is TOML
    schema      each table has known keys with sensible values
    files       images and modules are there
    draft       each kernel gets cores, console and chips
    territory   kernels and windows get their memory, images and modules their place in it
    grants      windows and doorbells name kernels that there are
    claims      no two parties have the same
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from mksim.boot.partition import partition_table
from mksim.errors import ConfigError
from mksim.machine import files, grants, schema, territory, units, values
from mksim.machine.claims import clashes
from mksim.machine.config import Kernel, Layout, Window, claims_on, uarts_of
from mksim.machine.devices import misplaced
from mksim.machine.document import read_document
from mksim.machine.draft import Draft, Drafts, give_chips, give_consoles, give_cores
from mksim.machine.fit import misfits
from mksim.machine.remapping import Iommu, misowned
from mksim.machine.schema import Problems, conform
from mksim.machine.wiring import loose_ends

LATENCY_MAX = 1
"""Seconds."""
UNTIL_MAX = 1 << 30
"""Seconds: at the highest rate still before the end of time, `clock.time.NEVER`."""

Table = dict[str, Any]


def read_layout(path: Path) -> Layout:
    """Return the layout that a config describes; ConfigError with every problem it has."""
    layout = make_layout(read_document(path), path)
    partition_table(layout)  # so that what does not fit in the firmware's RAM is told before anything runs
    return layout


def make_layout(document: Table, path: Path) -> Layout:
    """Return the layout that a TOML document describes; files it names are relative to `path`'s folder."""
    problems = Problems(str(path))
    schema.report_unknown(document, schema.TABLES, "", problems)
    machine = _machine(document, problems)
    drafts = _drafts(document, problems)
    windows = grants.draft_windows(document, drafts, problems)
    files.read_files(drafts, path.parent, problems)
    machine["apic_ids"] = _apic_ids(machine, give_cores(drafts, machine, problems), problems)
    give_consoles(drafts)
    give_chips(drafts, machine["ioapics"], problems)
    territory.place(drafts, windows, machine["memory"], problems)
    machine["kernels"] = tuple(_kernel(draft, machine["rate"], problems) for draft in drafts)
    machine["windows"] = grants.windows(windows)
    machine["doorbells"] = grants.doorbells(document, drafts, problems)
    machine["wires"] = grants.wires(document, problems)
    machine["devices"] = grants.devices(document, path.parent, problems)
    machine["iommu"] = _iommu(document, problems)
    machine["expected_violations"] = _violations(document, problems)
    return _layout(machine, path, problems)


def _machine(document: Table, problems: Problems) -> Table:
    """Return the machine's values, times in cycles; what is wrong is its default, to go on with."""
    found = conform(document.get("machine", {}), schema.MACHINE, "machine", problems)
    machine = {key: rule.default for key, rule in schema.MACHINE.items()} | found
    machine["latency"] = _cycles("latency", machine, LATENCY_MAX, problems)
    machine["until"] = _cycles("until", machine, UNTIL_MAX, problems)
    return machine


def _cycles(key: str, machine: Table, most: int, problems: Problems) -> int | None:
    """Return a time in cycles: one at least, and at most so many seconds."""
    seconds: Fraction | None = machine[key]
    if seconds is None:
        return None
    cycles = int(seconds * machine["rate"])
    if not cycles or seconds > most:
        problems.add(f"machine.{key}", f"is {cycles} cycles (machine.rate), not from one cycle to {most} s")
    return cycles


def _drafts(document: Table, problems: Problems) -> Drafts:
    tables = document.get("kernel", {})
    if not isinstance(tables, dict) or not 1 <= len(tables) <= values.KERNELS_MAX:
        count = len(tables) if isinstance(tables, dict) else units.shown(tables)
        problems.add("kernel", f"is {count} tables [kernel.NAME], not from 1 to {values.KERNELS_MAX}")
        return []
    return [_draft(index, name, table, problems) for index, (name, table) in enumerate(tables.items())]


def _draft(index: int, name: str, table: object, problems: Problems) -> Draft:
    where = f"kernel.{units.shown(name)[1:-1]}"
    with problems.at(where):
        values.name(name)
    asked = conform(table, schema.KERNEL, where, problems)
    return Draft(id=index, name=name, asked=asked, wanted=list(asked.get("memory", ())))


def _apic_ids(machine: Table, cores: int, problems: Problems) -> tuple[int, ...]:
    listed: tuple[int, ...] | None = machine["apic_ids"]
    asked = machine.pop("cores")
    if listed and asked and asked != len(listed):
        problems.add("machine.apic_ids", f"lists {len(listed)}, but machine.cores is {asked}")
    return listed or tuple(range(cores))


def _kernel(draft: Draft, rate: int, problems: Problems) -> Kernel:
    """Return the kernel that a draft has become, and report where its image does not fit."""
    territory.load(draft, problems)
    if draft.whole:
        for key, text in misfits(draft.image, draft.memory, draft.load_offset):
            problems.add(draft.key(key), text)
    return draft.kernel(rate)


def _iommu(document: Table, problems: Problems) -> Iommu | None:
    if "iommu" not in document:
        return None
    return Iommu(**conform(document["iommu"], schema.IOMMU, "iommu", problems))


def _violations(document: Table, problems: Problems) -> int | None:
    expect = conform(document.get("expect", {}), schema.EXPECT, "expect", problems)
    count: int | None = expect.get("violations")
    return count


def _layout(machine: Table, path: Path, problems: Problems) -> Layout:
    kernels: tuple[Kernel, ...] = machine["kernels"]
    windows: tuple[Window, ...] = machine["windows"]
    problems.found.extend(clashes(problems.file, claims_on(machine["memory"], kernels, windows)))
    for where, text in loose_ends(machine["wires"], uarts_of(kernels)):
        problems.add(where, text)
    devices = misplaced(machine["devices"], kernels, windows)
    for where, text in (*devices, *misowned(machine["iommu"], kernels)):
        problems.add(where, text)
    if problems.found:
        raise ConfigError(problems.found)
    machine["kernels"] = tuple(without_low_page(kernel) for kernel in kernels)
    return Layout(path=path, **machine)


def without_low_page(kernel: Kernel) -> Kernel:
    """Return a kernel whose low page, where it is of the memory that the config gave it, is no more in it."""
    low = kernel.low_page
    if low is None:
        return kernel
    return replace(kernel, memory=tuple(rest for span in kernel.memory for rest in span.without(low)))
